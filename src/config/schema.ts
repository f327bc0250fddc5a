import { z } from 'zod';

/**
 * `smtp-setup.yaml`: intent, no secrets, made to be committed. It can never set API base URLs, token sources or
 * commands (DESIGN.md, section 6). Unknown keys are errors: a typo must not silently do nothing.
 */
export const serverSchema = z.strictObject({
  /** `[USER@]HOST[:PORT]` or a Host alias of ssh_config. */
  ssh: z.string(),
  /** Private key file on this machine; `~` is expanded. */
  identity: z.string().optional(),
  /** `SHA256:…` fingerprint that the server must show. */
  hostKey: z.string().optional(),
  profile: z.enum(['mailboxes']).default('mailboxes'),
  /** Let's Encrypt account contact. */
  acmeEmail: z.string().optional(),
  /** For the server's own unbound in a private network or rehearsal. */
  resolver: z
    .strictObject({ forwarder: z.string().optional(), trustAnchor: z.string().optional() })
    .default({}),
  /** `auto` publishes AAAA and sends over IPv6 only when it works both ways. */
  ipv6: z.enum(['auto', 'off']).default('auto'),
});

export const domainSchema = z.strictObject({
  /** Host name of the server that handles the domain; may be left out while there is only one. */
  server: z.string().optional(),
  /** DNS provider id: `cloudflare`, … */
  dns: z.string(),
  /** `full`: mail comes here too. `send-only`: a foreign MX stays, we only send (amendment A3). */
  mail: z.enum(['full', 'send-only']).default('full'),
  dmarc: z
    .strictObject({
      /** Left out: `none` beside other senders, else `quarantine` (R8); what was chosen is written back here. */
      policy: z.enum(['none', 'quarantine', 'reject']).optional(),
      rua: z.array(z.string()).optional(),
    })
    .default({}),
  /** Seconds, for records that we create. */
  ttl: z.number().int().min(60).max(86400).default(3600),
  /** Record roles that the user does not want from us: `{ caa: false }`. */
  records: z.record(z.string(), z.boolean()).default({}),
});

export const configSchema = z.strictObject({
  version: z.literal(1),
  /** Keyed by the server's host name, e.g. `mail.example.org`. */
  servers: z.record(z.string(), serverSchema),
  /** Keyed by domain, canonical form. */
  domains: z.record(z.string(), domainSchema),
});

export type ServerConfig = z.infer<typeof serverSchema>;
export type DomainConfig = z.infer<typeof domainSchema>;
export type Config = z.infer<typeof configSchema>;
