import { z } from 'zod';
import { parseDomain, parseHostname } from '../lib/names.js';
import { profiles } from '../lib/profile.js';
import { parseSize } from '../lib/size.js';
import { chooseRelay } from '../relay/choose-relay.js';
import {
  attempt,
  type Parsed,
  parseAddress,
  parseFingerprint,
  parseId,
  parseIpv4Address,
  parsePath,
  parseSsh,
} from './validate.js';

/** A string that a question's parser accepts, in canonical form. */
function text(parse: (input: string) => Parsed) {
  return z.string().transform((input, context) => {
    const parsed = parse(input);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: 'custom', message: [parsed.problem, parsed.hint].filter(Boolean).join(' ') });
    return z.NEVER;
  });
}

/** A name used as a key stands as DNS has it, so that every place that looks it up finds it. */
function canonicalName(parse: (input: string) => Parsed) {
  return z.string().superRefine((input, context) => {
    const parsed = parse(input);
    if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.problem });
    else if (parsed.value !== input)
      context.addIssue({ code: 'custom', message: `Write it as ${parsed.value}.` });
  });
}

const recordRole = z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'A record role is a word such as caa.');

/** A hosted provider to send through; its login is given to the command and lies on the server only. */
export const relaySchema = z
  .strictObject({
    /** Id of a preset (`smtp-setup relay list`), or `custom`. */
    provider: text(parseId),
    region: text(parseId).optional(),
    /** Overrules the preset's host; needed for `custom`. */
    host: text(attempt(parseHostname)).optional(),
    port: z.number().int().min(1).max(65535).optional(),
    tls: z.enum(['starttls', 'wrapper']).optional(),
    /** Domain whose SPF the sending domain includes, where the preset names another one or none. */
    spfInclude: z
      .string()
      .regex(/^(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+$/, 'A domain with an SPF record, in lower case.')
      .optional(),
  })
  .superRefine((choice, context) => {
    const chosen = chooseRelay(choice);
    if (chosen.ok) return;
    context.addIssue({ code: 'custom', message: `${chosen.problem} ${chosen.hint}` });
  });

export const profileSchema = z.enum(profiles);

const limit = z.number().int().min(1).max(10_000_000);

/**
 * `smtp-setup.yaml`: intent, no secrets, made to be committed. It can never set API base URLs, token sources or
 * commands. Unknown keys are errors: a typo must not silently do nothing.
 */
export const serverSchema = z.strictObject({
  /** `[USER@]HOST[:PORT]` or a Host alias of ssh_config. */
  ssh: text(parseSsh),
  /** Private key file on this machine; `~` is expanded. */
  identity: text(parsePath).optional(),
  /** `SHA256:…` fingerprint that the server must show. */
  hostKey: text(parseFingerprint).optional(),
  /**
   * `send-only`: applications log in and send; no mail comes in and none is stored. `backup-mx`: keeps mail for the domains
   * that name it as their `backup`, while their own server is away.
   */
  profile: profileSchema.default('mailboxes'),
  /** Let's Encrypt account contact. */
  acmeEmail: z.email().optional(),
  /** For the server's own unbound in a private network or rehearsal. */
  resolver: z
    .strictObject({ forwarder: text(parseAddress).optional(), trustAnchor: text(parsePath).optional() })
    .default({}),
  /** The address that the world reaches the server at, where neither the server nor the way to it shows it (1:1 NAT). */
  ipv4: text(parseIpv4Address).optional(),
  /** `auto` publishes AAAA and sends over IPv6 only when it works both ways. */
  ipv6: z.enum(['auto', 'off']).default('auto'),
  /** `false`: no packet filter of ours; what is there stays, and nothing is added to it. Default `true`. */
  firewall: z.boolean().optional(),
  /** Room for each mailbox that has no limit of its own: `500M`, `5G`, `1T`, or `none`. Left out: 5G. */
  quota: z
    .string()
    .refine((text) => parseSize(text) !== undefined, 'Write a size such as 500M, 5G or 1T, or none.')
    .optional(),
  /** What users may send; left out: 100 messages a minute from one address, 500 recipients an hour and 3,000 a day of one login. */
  limits: z
    .strictObject({
      /** Messages a minute from one client address. */
      perMinute: limit.optional(),
      /** Recipients an hour of one login. */
      perHour: limit.optional(),
      /** Recipients a day of one login. */
      perDay: limit.optional(),
    })
    .optional(),
  /** `defer`: unknown recipients get 450 instead of 550, for the days after an MX was taken over. Default `reject`. */
  unknownRecipients: z.enum(['reject', 'defer']).optional(),
  /** The server's address is new to the world: mail leaves at a pace that rises day by day. */
  warmup: z.boolean().optional(),
  /** Mail to the outside goes through a hosted provider. */
  relay: relaySchema.optional(),
});

export const domainSchema = z.strictObject({
  /** Host name of the server that handles the domain; may be left out while there is only one. */
  server: z.string().optional(),
  /** Host name of a server with the profile `backup-mx`: takes the mail while the domain's own server is away. */
  backup: z.string().optional(),
  /** DNS provider id: `cloudflare`, … */
  dns: text(parseId),
  /** `full`: mail comes here too. `send-only`: a foreign MX stays, we only send (amendment A3). */
  mail: z.enum(['full', 'send-only']).default('full'),
  dmarc: z
    .strictObject({
      /** Left out: `none` beside other senders, else `quarantine` (R8); what was chosen is written back here. */
      policy: z.enum(['none', 'quarantine', 'reject']).optional(),
      rua: z.array(z.email()).optional(),
    })
    .default({}),
  /** Where other servers report TLS trouble (RFC 8460): an address, or an `https:` URL. */
  tlsRpt: z
    .strictObject({
      rua: z
        .array(
          z.union([z.email(), z.httpUrl()], {
            error: 'Write an address such as reports@example.org (without mailto:), or an https: URL.',
          }),
        )
        .min(1),
    })
    .optional(),
  /**
   * MTA-STS (RFC 8461): `testing` (default) has senders report, `enforce` has them insist on a valid certificate, `none`
   * takes it back: before the MX moves elsewhere, for as long as `maxAge` was.
   */
  mtaSts: z
    .strictObject({
      mode: z.enum(['testing', 'enforce', 'none']).default('testing'),
      /** Seconds for which senders remember the policy. */
      maxAge: z.number().int().min(86_400).max(31_557_600).optional(),
    })
    .optional(),
  /** Names below the domain that neither send nor get mail; they are then published as such. */
  parked: z.array(canonicalName(attempt(parseDomain))).optional(),
  /** A look-alike for cold mail: limits and transports of its own, never mixed with the other domains'. */
  separate: z.boolean().optional(),
  /** What all logins together may send from the domain; left out: only each login's own limits hold. */
  limits: z
    .strictObject({
      /** Recipients a day. */
      perDay: limit,
    })
    .optional(),
  /** Mail from this domain takes a relay of its own. */
  relay: relaySchema.optional(),
  /** Seconds, for records that we create. */
  ttl: z.number().int().min(60).max(86400).default(3600),
  /** Record roles that the user does not want from us: `{ caa: false }`. */
  records: z.record(recordRole, z.boolean()).default({}),
});

export const configSchema = z
  .strictObject({
    version: z.literal(1),
    /** Keyed by the server's host name, e.g. `mail.example.org`. */
    servers: z.record(canonicalName(attempt(parseHostname)), serverSchema),
    /** Keyed by domain, canonical form. */
    domains: z.record(canonicalName(attempt(parseDomain)), domainSchema),
    /** Results of `check` that are known and accepted, each with its reason and perhaps its last day. */
    suppress: z
      .array(
        z.strictObject({
          id: z.string(),
          name: z.string().optional(),
          reason: z.string().min(1),
          until: z.iso.date().optional(),
        }),
      )
      .optional(),
  })
  .superRefine((config, context) => {
    for (const [name, { warmup, relay }] of Object.entries(config.servers)) {
      if (!warmup || relay === undefined) continue;
      const message = 'Mail leaves from the addresses of the relay, which are warm: leave warmup out.';
      context.addIssue({ code: 'custom', path: ['servers', name, 'warmup'], message });
    }
    const backups = Object.keys(config.servers).filter(
      (host) => config.servers[host]?.profile === 'backup-mx',
    );
    const hosts = Object.keys(config.servers).filter((host) => !backups.includes(host));
    for (const [name, domain] of Object.entries(config.domains)) {
      const path = ['domains', name, 'server'];
      const problem = domain.backup === undefined ? undefined : backupProblem(domain, backups);
      if (problem !== undefined)
        context.addIssue({ code: 'custom', path: ['domains', name, 'backup'], message: problem });
      if (domain.server !== undefined && backups.includes(domain.server)) {
        const message = 'A backup-mx has no domains of its own; name it as "backup" instead.';
        context.addIssue({ code: 'custom', path, message });
        continue;
      }
      if (domain.server === undefined && hosts.length !== 1) {
        const message = `Say which server handles the domain: ${hosts.join(', ') || 'there is none under servers'}.`;
        context.addIssue({ code: 'custom', path, message });
      } else if (domain.server !== undefined && !hosts.includes(domain.server)) {
        const message = `No server of that name; under servers stand ${hosts.join(', ') || 'none'}.`;
        context.addIssue({ code: 'custom', path, message });
      } else if (domain.mail !== 'send-only' && isSender(config.servers, domain.server ?? hosts[0])) {
        const message = `${domain.server ?? hosts[0]} has the profile send-only and takes no mail: write "mail: send-only".`;
        context.addIssue({ code: 'custom', path: ['domains', name, 'mail'], message });
      }
    }
  });

function isSender(servers: Readonly<Record<string, ServerConfig>>, host: string | undefined): boolean {
  return host !== undefined && servers[host]?.profile === 'send-only';
}

function backupProblem({ backup, mail }: DomainConfig, backups: readonly string[]): string | undefined {
  if (mail === 'send-only') return 'A domain that only sends gets no mail that a backup could keep.';
  if (backup !== undefined && backups.includes(backup)) return undefined;
  return `No server with the profile backup-mx of that name; there is ${backups.join(', ') || 'none'}.`;
}

export type ServerConfig = z.infer<typeof serverSchema>;
export type DomainConfig = z.infer<typeof domainSchema>;
export type Config = z.infer<typeof configSchema>;
