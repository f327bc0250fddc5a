import type { BackupContents } from '../backup/read-archive.js';
import type { BackupHeader } from '../config/backup-header.js';
import { Exit, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import type { ServerStep } from './step.js';

/** Where the server keeps note of the backup it came from. */
export interface RestorePlan {
  /** The server as it will be once the backup's data is in place. */
  facts: Facts;
  /** What has to happen before anything else but the packages; empty when it was done before. */
  steps: ServerStep[];
}

/** The step that brings the backup's data, and the facts for all that is planned after it. Pure. */
export function planRestore(backup: BackupContents, facts: Facts): RestorePlan {
  const { header } = backup;
  const id = backup.id.slice(0, 32);
  const missing = header.dkim.filter(
    (key) =>
      !facts.dkim.keys.some(({ domain, selector }) => domain === key.domain && selector === key.selector),
  );
  const after: Facts = {
    ...facts,
    dkim: { ...facts.dkim, keys: [...facts.dkim.keys, ...missing] },
    accounts: {
      ...facts.accounts,
      mailboxes: [...new Set([...facts.accounts.mailboxes, ...header.mailboxes])],
    },
    certificate: afterRestore(header, facts.certificate),
    relayLogins: [
      ...facts.relayLogins,
      ...(header.relays ?? []).filter((relay) => !facts.relayLogins.some(({ name }) => name === relay.name)),
    ],
  };
  if (facts.restored === id) return { facts, steps: [] };
  return {
    facts: after,
    steps: [
      {
        id: 'restore',
        run: 'install',
        title: `Restore ${header.mailboxes.length} mailboxes, ${header.dkim.length} DKIM keys and ${backup.files} files`,
        reason: `from the backup of ${header.created}`,
        calls: [
          { fn: 'accounts_prepare', args: [facts.accounts.mapType] },
          { fn: 'restore_place', args: [id, facts.accounts.mapType] },
        ],
        preview: [...header.mailboxes],
      },
    ],
  };
}

/**
 * The lineage comes along, and whether it is still good is for the server to see: planned as not issued, so that the step
 * which looks first is part of the plan.
 */
function afterRestore({ certificate }: BackupHeader, found: Facts['certificate']): Facts['certificate'] {
  const next = found.nextDigest ?? certificate.nextDigest;
  const kept = { ...found, ...(next === undefined ? {} : { nextDigest: next }) };
  if (found.state === 'issued' || certificate.state !== 'issued') return kept;
  const { names, digest } = certificate;
  return { ...kept, state: 'self-signed', names, ...(digest === undefined ? {} : { digest }) };
}

/** A restore is for a fresh server, or one that an earlier try of it left. Throws E_NOT_FRESH and E_DISK_FULL (exit 5). */
export function refuseUnfit(header: BackupHeader, bytes: number, facts: Facts): void {
  const strangers = facts.accounts.mailboxes.filter((address) => !header.mailboxes.includes(address));
  const keys = facts.dkim.keys.filter(
    (key) =>
      !header.dkim.some(
        ({ domain, selector, publicKey }) =>
          domain === key.domain && selector === key.selector && publicKey === key.publicKey,
      ),
  );
  if (strangers.length > 0 || keys.length > 0) {
    throw new SetupError({
      code: 'E_NOT_FRESH',
      exit: Exit.unsuitable,
      what: 'This server is in use already; a backup is restored onto a fresh one.',
      evidence: [
        ...strangers.slice(0, 10).map((address) => `mailbox ${address} is not in the backup`),
        ...keys
          .slice(0, 10)
          .map(({ domain, selector }) => `DKIM key ${selector} of ${domain} is another one`),
      ],
      fix: ['Rent a fresh VPS and name it with --ssh. Nothing was changed.'],
    });
  }
  const disk = facts.disk.find(({ path }) => path === '/var/lib');
  const needed = Math.ceil((bytes * 1.2) / 1048576) + 500;
  if (disk === undefined || disk.free >= needed) return;
  throw new SetupError({
    code: 'E_DISK_FULL',
    exit: Exit.unsuitable,
    what: 'The server has no room for the backup.',
    evidence: [`${needed} MiB are needed, ${disk.free} MiB are free in /var/lib`],
    fix: ['Use a server with a larger disk. Nothing was changed.'],
  });
}
