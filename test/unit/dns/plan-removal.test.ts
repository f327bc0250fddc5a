import { expect, test } from 'vitest';
import { applyChanges } from '../../../src/dns/diff.js';
import type { JournalEntry } from '../../../src/dns/journal.js';
import { toChange } from '../../../src/dns/merge/sequence.js';
import { type OwnValues, planRemoval, type RemovalInput } from '../../../src/dns/plan-removal.js';
import type { LiveRecord } from '../../../src/dns/record.js';
import { dkimText } from '../../../src/dns/records/dkim.js';
import type { ZonePlan } from '../../../src/dns/zone-plan.js';
import {
  afterPlan,
  allConsents,
  domainName,
  hostName,
  installId,
  ipv4,
  key,
  live,
  plan,
  txt,
} from './zone-fixture.js';

const values: OwnValues = {
  hosts: [hostName],
  addresses: [ipv4],
  texts: [dkimText(key), `v=spf1 a:${hostName} -all`, 'v=DMARC1; p=none'],
};
const mark = (role: string) => ({ mark: `smtp-setup/1 ${installId} ${role}` });
const remove = (input: Partial<RemovalInput>) =>
  planRemoval({
    live: [],
    journal: [],
    names: [domainName],
    except: [hostName],
    installId,
    values,
    ...input,
  });
const linesOf = (records: readonly LiveRecord[]) =>
  records.map(({ name, data }) => `${name} ${data.type}`).sort();

function journalOf(done: ZonePlan): JournalEntry[] {
  return done.changes.map((change, index) => ({
    kind: 'write',
    id: String(index),
    at: '2026-11-24T00:00:00.000Z',
    stage: change.stage,
    role: change.role,
    change: toChange(change),
  }));
}

/** What an apply made of a zone with an SPF record of somebody else's, and its journal. */
function applied() {
  const before = [txt(domainName, 'v=spf1 include:_spf.other.example -all'), txt(domainName, 'token')];
  const done = plan(before, { consents: allConsents });
  expect(done.conflicts).toEqual([]);
  return { before, now: afterPlan(before, done), journal: journalOf(done) };
}

test('a domain goes, latest stage first; its host and what others wrote stay as they were', () => {
  const { before, now, journal } = applied();
  const { changes, changed } = remove({ live: now, journal });
  const left = applyChanges(now, changes.map(toChange));
  expect(linesOf(left.filter(({ name }) => name !== hostName))).toEqual(linesOf(before));
  expect(left.map(({ data }) => data)).toEqual(expect.arrayContaining(before.map(({ data }) => data)));
  expect(left.filter(({ name, data }) => name === hostName && data.type === 'A')).toHaveLength(1);
  expect(changed).toEqual([]);
  const stages = changes.map(({ stage }) => stage);
  expect(stages.indexOf('auth')).toBeGreaterThan(stages.lastIndexOf('mx'));
});

test('the DKIM key stays while it is told to', () => {
  const { now, journal } = applied();
  const at = `s202611._domainkey.${domainName}`;
  const gone = (keepRoles: string[]) =>
    remove({ live: now, journal, keepRoles }).changes.some(({ before }) => before?.name === at);
  expect(gone(['dkim'])).toBe(false);
  expect(gone([])).toBe(true);
});

test('without a journal goes what carries our mark and holds what is ours', () => {
  const records = [
    live(domainName, { type: 'MX', preference: 10, exchange: hostName }, mark('mx')),
    txt(`s1._domainkey.${domainName}`, dkimText(key), mark('dkim')),
    txt(domainName, `v=spf1 a:${hostName} -all`, mark('spf')),
    txt(`_smtp._tls.${domainName}`, 'v=TLSRPTv1; rua=mailto:postmaster@example.org', mark('tls-rpt')),
    live(
      `_imaps._tcp.${domainName}`,
      { type: 'SRV', priority: 0, weight: 1, port: 993, target: hostName },
      mark('srv'),
    ),
    live(`mta-sts.${domainName}`, { type: 'A', address: ipv4 }, mark('mta-sts-host')),
  ];
  expect(linesOf(remove({ live: records }).changes.flatMap(({ before }) => before ?? []))).toEqual(
    linesOf(records),
  );
});

test('a marked record that holds another value stays, and is named: the mark is no licence', () => {
  const changed = [
    live(domainName, { type: 'MX', preference: 10, exchange: 'mx.other.example' }, mark('mx')),
    txt(domainName, 'v=spf1 include:other.example -all', mark('spf')),
    live(`mta-sts.${domainName}`, { type: 'A', address: '192.0.2.9' }, mark('mta-sts-host')),
    live(domainName, { type: 'CAA', flags: 0, tag: 'issue', value: 'other.example' }, mark('caa')),
  ];
  expect(remove({ live: changed })).toEqual({ changes: [], changed });
});

test('what the journal speaks of, it alone decides', () => {
  const { now, journal } = applied();
  const edited = now.map((record) =>
    record.data.type === 'MX'
      ? { ...record, data: { type: 'MX' as const, preference: 5, exchange: hostName }, ...mark('mx') }
      : record,
  );
  const { changes, changed } = remove({ live: edited, journal });
  expect(changes.filter(({ role }) => role === 'mx')).toEqual([]);
  expect(linesOf(changed)).toEqual([`${domainName} MX`]);
});

test('marks of other installations, other names and excepted ones are nobody’s business', () => {
  const records = [
    live(domainName, { type: 'MX', preference: 10, exchange: hostName }, { mark: 'smtp-setup/1 other mx' }),
    live('example.com', { type: 'MX', preference: 10, exchange: hostName }, mark('mx')),
    live(hostName, { type: 'A', address: ipv4 }, mark('a')),
  ];
  expect(remove({ live: records })).toEqual({ changes: [], changed: [] });
});
