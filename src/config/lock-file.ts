import { z } from 'zod';
import { webLabels } from '../dns/records/web-labels.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import type { Lock } from './lock.js';

const selector = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);

const dkimKey = z.strictObject({
  selector,
  publicKey: z.string().regex(/^[A-Za-z0-9+/]+=*$/),
});

const lockSchema = z.strictObject({
  version: z.literal(1),
  servers: z.record(z.string(), z.strictObject({ ipv4: z.ipv4().optional(), ipv6: z.ipv6().optional() })),
  tlsa: z.record(z.string(), z.array(z.string().regex(/^[0-9a-f]{64}$/))).optional(),
  leftOut: z.record(z.string(), z.array(z.string().max(300)).max(1000)).optional(),
  domains: z.record(
    z.string(),
    z.strictObject({
      dkim: z.array(dkimKey),
      zone: z.string().optional(),
      nameServers: z.array(z.string().max(253)).max(32).optional(),
      spf: z.string().optional(),
      spfIncludes: z.array(z.string().regex(/^[a-z0-9_.-]+$/)).optional(),
      dmarc: z.string().optional(),
      dmarcSince: z.iso.date().optional(),
      elsewhere: z.array(z.enum(webLabels)).optional(),
      mtaSts: z
        .strictObject({
          mode: z.enum(['testing', 'enforce', 'none']),
          since: z.iso.date(),
          id: z
            .string()
            .regex(/^[A-Za-z0-9]{1,32}$/)
            .optional(),
        })
        .optional(),
      rotation: z
        .strictObject({ from: selector, to: selector, switched: z.iso.datetime().optional() })
        .optional(),
    }),
  ),
  removed: z
    .record(
      z.string(),
      z.strictObject({
        at: z.iso.datetime(),
        zone: z.string(),
        dkim: z.array(selector),
        keys: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

/** Far more than a lock of a hundred domains with several keys each. */
export const maxLockBytes = 4 * 1024 * 1024;

/** Reads the text of `smtp-setup.lock.json`. Throws SetupError E_LOCK_INVALID (exit 2). */
export function parseLock(text: string, path: string): Lock {
  if (text.length > maxLockBytes)
    throw lockError(path, [`It has ${text.length} characters; ${maxLockBytes} is the most.`]);
  let data: unknown;
  try {
    data = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw lockError(path, [sanitizeLine(messageOf(error))]);
  }
  const result = lockSchema.safeParse(data);
  if (result.success) return result.data satisfies Lock;
  throw lockError(
    path,
    result.error.issues.map((issue) =>
      sanitizeLine(`${issue.path.map(String).join('.') || 'the file'}: ${issue.message}`),
    ),
  );
}

/** The lock as text: sorted keys and one value a line, so that a commit shows what really changed. */
export function renderLock(lock: Lock): string {
  return `${JSON.stringify(sortKeys(lock), undefined, 2)}\n`;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, sortKeys(entry)]),
  );
}

/** `smtp-setup.yaml` → `smtp-setup.lock.json`, beside it. */
export function lockPathFor(configPath: string): string {
  return `${configPath.replace(/\.ya?ml$/i, '')}.lock.json`;
}

function lockError(path: string, evidence: readonly string[]): SetupError {
  return new SetupError({
    code: 'E_LOCK_INVALID',
    exit: Exit.usage,
    what: `The lock file ${path} cannot be used.`,
    evidence,
    fix: ['Restore it from version control, or delete it: apply writes it anew from the server and DNS.'],
  });
}
