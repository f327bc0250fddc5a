import { z } from 'zod';

/** What a backup says of itself, in its first member: enough to plan a restore before anything is unpacked. */
export interface BackupHeader {
  format: 'smtp-setup-backup';
  version: 1;
  /** ISO 8601. */
  created: string;
  hostname: string;
  os: string;
  domains: string[];
  mailboxes: string[];
  dkim: { domain: string; selector: string; publicKey: string }[];
  /** The certificate in use; `issued` means that its lineage is in the backup. */
  certificate: {
    state: 'none' | 'self-signed' | 'issued';
    names: string[];
    directory?: string;
    ca?: string;
    /** What DNS announces of its key and of the next one (TLSA); both keys are in the backup. */
    digest?: string;
    nextDigest?: string;
  };
  /** Logins for hosted relays: for whose mail, and for which host. */
  relays?: { name: string; host: string }[] | undefined;
}

const name = z.string().regex(/^[a-z0-9*]([a-z0-9._-]{0,252})$/);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const schema = z.strictObject({
  format: z.literal('smtp-setup-backup'),
  version: z.literal(1),
  created: z.iso.datetime(),
  hostname: name,
  os: z.string().max(200),
  domains: z.array(name),
  mailboxes: z.array(z.string().regex(/^[^\s@]{1,64}@[a-z0-9.-]{1,253}$/)),
  dkim: z.array(
    z.strictObject({
      domain: name,
      selector: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
      publicKey: z.string().regex(/^[A-Za-z0-9+/]+=*$/),
    }),
  ),
  certificate: z.strictObject({
    state: z.enum(['none', 'self-signed', 'issued']),
    names: z.array(name),
    directory: z.url().optional(),
    ca: z.string().max(65536).optional(),
    digest: digest.optional(),
    nextDigest: digest.optional(),
  }),
  relays: z.array(z.strictObject({ name, host: name })).optional(),
});

/** Undefined when the text is no header that this version knows. */
export function parseBackupHeader(text: string): BackupHeader | undefined {
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? (result.data satisfies BackupHeader) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
