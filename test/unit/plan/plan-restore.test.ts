import { expect, it } from 'vitest';
import type { BackupContents } from '../../../src/backup/read-archive.js';
import { parseBackupHeader } from '../../../src/config/backup-header.js';
import type { Facts } from '../../../src/facts/index.js';
import { planRelayLogins } from '../../../src/plan/plan-relay-logins.js';
import { planRestore } from '../../../src/plan/plan-restore.js';

const header = parseBackupHeader(
  JSON.stringify({
    format: 'smtp-setup-backup',
    version: 1,
    created: '2026-11-24T10:15:00Z',
    hostname: 'mail.example.org',
    os: 'Debian',
    domains: ['example.org'],
    mailboxes: ['ada@example.org'],
    dkim: [],
    certificate: { state: 'none', names: [] },
    relays: [{ name: 'server', host: 'smtp.relay.test' }],
  }),
);
const fresh = {
  dkim: { keys: [], signing: [] },
  accounts: { mailboxes: [], mapType: 'hash' },
  certificate: { state: 'none', names: [] },
  relayLogins: [],
} as unknown as Facts;

it('a login for a relay that the backup brings is there when the plan asks for it', () => {
  if (header === undefined) throw new Error('the header cannot be read');
  const backup = { header, id: 'a'.repeat(64), files: 1, bytes: 1 } as unknown as BackupContents;
  const { facts } = planRestore(backup, fresh);
  const relay = { provider: 'x', host: 'smtp.relay.test', login: { mechanisms: [] } };
  const relays = [{ name: 'server', relay }] as unknown as Parameters<typeof planRelayLogins>[0];
  expect(planRelayLogins(relays, facts.relayLogins, new Map()).steps).toEqual([]);
  expect(() => planRelayLogins(relays, fresh.relayLogins, new Map())).toThrow(/no login for the relay/);
});

it('what DNS announces of the keys in the backup is known before they are there', () => {
  const [digest, nextDigest] = ['a'.repeat(64), 'b'.repeat(64)];
  const certificate = { state: 'issued', names: ['mail.example.org'], digest, nextDigest };
  const parsed = parseBackupHeader(JSON.stringify({ ...header, certificate }));
  const backup = { header: parsed, id: 'a'.repeat(64), files: 1, bytes: 1 } as unknown as BackupContents;
  expect(planRestore(backup, fresh).facts.certificate).toMatchObject({
    state: 'self-signed',
    digest,
    nextDigest,
  });
});
