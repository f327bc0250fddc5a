import { describe, expect, test } from 'vitest';
import type { LiveRecord } from '../../../src/dns/record.js';
import {
  afterPlan,
  allConsents,
  change,
  codes,
  domainName,
  hostName,
  ipv4,
  live,
  mx,
  plan,
  roles,
  textOf,
  txt,
} from './zone-fixture.js';

const google = () => [mx('aspmx.l.google.com', 1), mx('alt1.aspmx.l.google.com', 5)];
const mxOps = (done: ReturnType<typeof plan>) =>
  done.changes.filter(({ role }) => role === 'mx').map(({ op, stage }) => `${stage} ${op}`);
const notes = (done: ReturnType<typeof plan>): string => done.notes.map(({ text }) => text).join('\n');

describe('R4: MX', () => {
  test('R4: none there, ours is created', () => {
    expect(change(plan([]), 'mx')).toMatchObject({
      op: 'create',
      stage: 'mx',
      after: { data: { preference: 10, exchange: hostName } },
    });
  });

  test('R4: ours stays, at whatever preference', () => {
    expect(roles(plan([mx(hostName, 0)]))).not.toContain('mx');
    expect(roles(plan([mx('MAIL.example.org.', 50)]))).not.toContain('mx');
  });

  test('R4: a foreign MX stops; send-only is offered first, the take-over second', () => {
    const done = plan(google());
    expect(done.conflicts).toMatchObject([{ code: 'E_MX_FOREIGN', consent: 'takeOverMx' }]);
    expect(done.conflicts[0]?.evidence).toEqual([
      'example.org. 3600 IN MX 1 aspmx.l.google.com.',
      'example.org. 3600 IN MX 5 alt1.aspmx.l.google.com.',
    ]);
    expect(done.conflicts[0]?.fix[0]).toContain('mail: send-only');
    expect(done.conflicts[0]?.fix[1]).toContain('--take-over-mx');
    expect(mxOps(done)).toEqual([]);
  });

  test('R4: neither --allow-update nor --allow-delete is a take-over', () => {
    expect(codes(plan(google(), { consents: { update: true, delete: true } }))).toEqual(['E_MX_FOREIGN']);
  });

  test('R4: ours is never mixed with a foreign one at equal or better preference', () => {
    expect(codes(plan([mx(hostName, 10), mx('other.example', 10)]))).toEqual(['E_MX_FOREIGN']);
    expect(codes(plan([mx(hostName, 10), mx('other.example', 9)]))).toEqual(['E_MX_FOREIGN']);
    const backup = plan([mx(hostName, 9), mx('other.example', 10)]);
    expect(codes(backup)).toEqual([]);
    expect(backup.kept.filter(({ role }) => role === 'mx')).toHaveLength(2);
  });

  test('R4: a null MX is replaced only with consent', () => {
    const records = [mx('', 0)];
    expect(plan(records).conflicts).toMatchObject([{ code: 'E_DNS_NEEDS_DELETE', consent: 'delete' }]);
    expect(mxOps(plan(records, { consents: { update: false, delete: true } }))).toEqual([
      'mx delete',
      'mx create',
    ]);
  });

  test('R18: addresses and MX are never in one stage', () => {
    const done = plan([]);
    expect(change(done, 'a')?.stage).toBe('host');
    expect(change(done, 'mx')?.stage).toBe('mx');
    expect(done.changes.map(({ stage }) => stage)).toEqual(['host', 'auth', 'auth', 'auth', 'policy', 'mx']);
  });
});

describe('A1: a take-over loses no mail', () => {
  test('A1: it takes the recipients, or an explicit catch-all', () => {
    const take = (takeOverMx: { recipients: string[] } | { catchAll: true }) =>
      codes(plan(google(), { consents: { update: false, delete: false, takeOverMx } }));
    expect(take({ recipients: [] })).toEqual(['E_MX_NO_RECIPIENTS']);
    expect(take({ recipients: ['anna@example.org'] })).toEqual([]);
    expect(take({ catchAll: true })).toEqual([]);
  });

  test('A1: the old TTL is lowered first and waited out; the old server is named', () => {
    const records = google();
    const done = plan(records, { consents: allConsents });
    expect(mxOps(done)).toEqual(['host update', 'host update', 'mx delete', 'mx delete', 'mx create']);
    expect(done.changes[0]).toMatchObject({ stage: 'host', after: { ttl: 300, data: records[0]?.data } });
    expect(done.waits).toEqual([{ before: 'mx', seconds: 3600, reason: expect.stringContaining('old MX') }]);
    expect(notes(done)).toContain('aspmx.l.google.com, alt1.aspmx.l.google.com still receives');
    expect(notes(done)).toContain('450');
    expect(
      change({ ...done, changes: done.changes.filter(({ op }) => op === 'create') }, 'mx')?.after?.ttl,
    ).toBe(3600);
    expect(plan(afterPlan(records, done)).changes).toEqual([]);
  });

  test('A1: each stage expects the set as the stage before has left it', () => {
    const done = plan(google(), { consents: allConsents });
    const atSwitch = done.changes.find(({ stage, op }) => stage === 'mx' && op === 'delete');
    expect(atSwitch?.rrsetBefore.map(({ ttl }) => ttl)).toEqual([300, 300]);
    expect(atSwitch?.before?.ttl).toBe(300);
  });

  test('A1: what an earlier, unfinished apply left in caches is still waited out', () => {
    const lowered = google().map((record) => ({ ...record, ttl: 300 }));
    const done = plan(lowered, {
      consents: allConsents,
      evidence: { mxCachedFor: { [domainName]: 86_000 } },
    });
    expect(mxOps(done)).toEqual(['mx delete', 'mx delete', 'mx create']);
    expect(done.waits[0]?.seconds).toBe(86_000);
    expect(plan(lowered, { consents: allConsents }).waits).toEqual([]);
  });

  test('A1: each domain needs recipients of its own', () => {
    const elsewhere = { recipients: ['anna@example.net', 'anna@sub.example.org'] };
    const consents = { update: false, delete: false, takeOverMx: elsewhere };
    expect(codes(plan(google(), { consents }))).toEqual(['E_MX_NO_RECIPIENTS']);
  });
});

describe('A2: what blocks an MX to us', () => {
  test('A2: port 25 at the domain itself is a foreign MX, whatever was allowed', () => {
    const evidence = { implicitMx: { [domainName]: '192.0.2.80' } };
    expect(codes(plan([], { evidence, consents: allConsents }))).toEqual(['E_MX_IMPLICIT']);
    expect(codes(plan([], { evidence: { implicitMx: { [domainName]: ipv4 } } }))).toEqual([]);
    expect(codes(plan([mx(hostName)], { evidence }))).toEqual([]);
  });

  const sts = (extra: Partial<LiveRecord> = {}) => txt('_mta-sts.example.org', 'v=STSv1; id=1', extra);
  const policy = (mode: 'enforce' | 'testing' | 'none', ...patterns: string[]) => ({
    evidence: { stsPolicy: { [domainName]: { mode, mx: patterns } } },
    consents: allConsents,
  });

  test('A2: a foreign MTA-STS policy that does not list our host', () => {
    const records = [...google(), sts()];
    expect(codes(plan(records, policy('enforce', 'aspmx.l.google.com')))).toEqual(['E_MX_STS_POLICY']);
    expect(codes(plan(records, policy('enforce', '*.example.org')))).toEqual([]);
    expect(codes(plan(records, policy('enforce', 'mail.example.org')))).toEqual([]);
    expect(codes(plan(records, policy('none')))).toEqual([]);
    expect(codes(plan([sts()], policy('enforce', 'x.example')))).toEqual(['E_MX_STS_POLICY']);
  });

  test('A2: `*` stands for one label only', () => {
    const done = plan([sts()], { ...policy('enforce', '*.org'), host: {} });
    expect(codes(done)).toEqual(['E_MX_STS_POLICY']);
  });

  test('A2: a policy that could not be read is not taken as absent', () => {
    const done = plan([...google(), sts()], { consents: allConsents });
    expect(done.conflicts).toMatchObject([
      { code: 'E_MX_STS_POLICY', what: expect.stringContaining('could not be read') },
    ]);
    expect(done.conflicts[0]?.fix.join(' ')).toContain('max_age');
  });

  test('A2: a foreign TLSA at the mail host', () => {
    const tlsa = live('_25._tcp.mail.example.org', {
      type: 'TLSA',
      usage: 3,
      selector: 1,
      matchingType: 1,
      data: 'ff',
    });
    expect(codes(plan([...google(), tlsa], { consents: allConsents }))).toEqual(['E_MX_TLSA_FOREIGN']);
  });
});

describe('A3: send-only beside a foreign MX', () => {
  test('A3: the MX stays and only the sending records are made', () => {
    const records = [...google(), txt(domainName, 'v=spf1 include:_spf.google.com ~all')];
    const features = {
      mtaSts: { policyText: 'x', served: true },
      tlsRpt: { rua: ['a@b.example'] },
      autoconfig: true,
      srv: { submissions: true, submission: true, imaps: true },
    };
    const done = plan(records, {
      domain: { mail: 'send-only', features },
      consents: { update: true, delete: false },
    });
    expect(codes(done)).toEqual([]);
    expect(roles(done)).toEqual(['a', 'dkim', 'dmarc', 'host-spf', 'spf']);
    expect(textOf(change(done, 'dmarc')?.after?.data)).toBe('v=DMARC1; p=none');
    expect(done.kept).toContainEqual(
      expect.objectContaining({ role: 'mx', reason: expect.stringContaining('only sends') }),
    );
    expect(notes(done)).toContain('No address for the DMARC reports of example.org');
  });

  test('A3: stops while mail still comes here, where nothing would take it any more', () => {
    const done = plan([mx(hostName, 10)], { domain: { mail: 'send-only' } });
    expect(codes(done)).toEqual(['E_MX_STILL_HERE']);
  });

  test('A4: its new SPF ends in ~all, because others send too', () => {
    const done = plan(google(), { domain: { mail: 'send-only' } });
    expect(textOf(change(done, 'spf')?.after?.data)).toBe('v=spf1 a:mail.example.org ~all');
  });
});

describe('a backup of ours', () => {
  const name = 'mail2.example.org';
  const withBackup = (records: readonly LiveRecord[]) => plan(records, { domain: { backup: name } });
  const backups = (done: ReturnType<typeof plan>) =>
    done.changes.flatMap(({ role, after }) => (role === 'mx-backup' ? [after?.data] : []));

  test('is a second MX behind ours, and no foreign one', () => {
    const fresh = withBackup([]);
    expect(change(fresh, 'mx')).toMatchObject({ after: { data: { preference: 10, exchange: hostName } } });
    expect(backups(fresh)).toEqual([{ type: 'MX', preference: 20, exchange: name }]);
    const both = withBackup([mx(hostName, 10), mx(name, 20)]);
    expect(both.conflicts).toEqual([]);
    expect(both.changes.map(({ role }) => role)).not.toContain('mx');
    expect(backups(both)).toEqual([]);
  });

  test('joins an MX that stands there, and stays at the preference that somebody gave it', () => {
    expect(backups(withBackup([mx(hostName, 5)]))).toHaveLength(1);
    expect(backups(withBackup([mx(hostName, 5), mx(name, 30)]))).toEqual([]);
  });

  test('does not soften SPF and DMARC, as another sender would', () => {
    const spf = (done: ReturnType<typeof plan>) => textOf(change(done, 'spf')?.after?.data);
    const records = [mx(hostName, 10), mx(name, 20)];
    expect(spf(withBackup(records))).toContain('-all');
    expect(spf(plan(records))).toContain('~all');
  });
});
