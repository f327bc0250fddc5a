import { describe, expect, it } from 'vitest';
import type { PinnedFetch } from '../../../../src/checks/pinned-fetch.js';
import { runDnsChecks } from '../../../../src/checks/run.js';
import type { RecordData } from '../../../../src/dns/record.js';
import {
  healthyPlan,
  healthyTarget,
  healthyWorld,
  type LabOptions,
  lineOf,
  openDnsLab,
  stsPolicy,
  txt,
} from '../../../helpers/dns-lab.js';

const fetch: PinnedFetch = async () => ({
  ok: true,
  status: 200,
  contentType: 'text/plain',
  body: stsPolicy,
  tooLong: false,
});

async function check(records: readonly string[], lab: Partial<LabOptions> = {}) {
  const { deps } = openDnsLab({ records, world: healthyWorld, ...lab, deps: { fetch, ...lab.deps } });
  const report = await runDnsChecks({ targets: [healthyTarget], resolver: 'test' }, deps);
  const failing = report.results.filter(({ status }) => status === 'fail');
  return { report, failing };
}

const keyOf = (record: { name: string; role: string }) => `${record.role} ${record.name}`;

/** Which check names the loss of a planned record. */
const guardians: Record<string, string> = {
  'a mail.example.org': 'HOST-A',
  'host-spf mail.example.org': 'SPF-PASS',
  'spf example.org': 'SPF-MISSING',
  'dkim s202611._domainkey.example.org': 'DKIM-KEY',
  'dmarc _dmarc.example.org': 'DMARC-ONE',
  'mx example.org': 'MX-EXISTS',
  'mta-sts-host mta-sts.example.org': 'STS-POLICY',
  'mta-sts _mta-sts.example.org': 'STS-TXT',
  'tls-rpt _smtp._tls.example.org': 'TLSRPT',
  'tlsa _25._tcp.mail.example.org': 'DANE-MATCH',
  'srv _imaps._tcp.example.org': 'SRV',
  'srv _pop3._tcp.example.org': 'RECORD',
  'autoconfig autoconfig.example.org': 'AUTOCFG',
  'caa example.org': 'RECORD',
};

describe('one record lost', () => {
  it.each(healthyPlan.map((record) => [keyOf(record), record] as const))(
    '%s: one check fails, with the record to add',
    async (key, lost) => {
      const { failing } = await check(healthyPlan.filter((record) => record !== lost).map(lineOf));
      const found = failing.map(({ id }) => id);
      if (key === 'mta-sts-host mta-sts.example.org') {
        // The lost alias is both a record of the plan and the reason why the policy cannot be read.
        expect(found).toEqual(['RECORD', 'STS-POLICY']);
        return;
      }
      expect(found).toEqual([guardians[key]]);
      expect(failing[0]?.fix?.record).toEqual({ name: lost.name, ttl: lost.ttl, data: lost.data });
      expect(failing[0]?.fix?.text).toMatch(/^Add this /);
    },
  );
});

describe('one record changed', () => {
  const changed: [string, RecordData, string][] = [
    ['a mail.example.org', { type: 'A', address: '198.51.100.99' }, 'HOST-A'],
    ['host-spf mail.example.org', txt('v=spf1 -all'), 'SPF-PASS'],
    ['spf example.org', txt('v=spf1 ip4:198.51.100.1 -all'), 'SPF-PASS'],
    ['spf example.org', txt('v=spf1 a:mail.example.org ip4:198.51.100 -all'), 'SPF-SYNTAX'],
    ['spf example.org', txt(' v=spf1 a:mail.example.org -all'), 'SPF-SYNTAX'],
    ['spf example.org', txt('v=spf1 a:mail.example.org +all'), 'SPF-ALL'],
    ['dkim s202611._domainkey.example.org', txt('v=DKIM1; k=rsa; p='), 'DKIM-REVOKED'],
    ['dkim s202611._domainkey.example.org', txt('v=DKIM1; k=rsa; p=MIGf*'), 'DKIM-TAGS'],
    ['dmarc _dmarc.example.org', txt('v=DMARC1; p=none'), 'DMARC-P'],
    ['dmarc _dmarc.example.org', txt('v=DMARC1; p=quarantine; adkim=x'), 'DMARC-SYNTAX'],
    ['dmarc _dmarc.example.org', txt('v=DMARC; p=quarantine'), 'DMARC-ONE'],
    ['mx example.org', { type: 'MX', preference: 10, exchange: 'ns1.example.org' }, 'MX-OURS'],
    ['mta-sts _mta-sts.example.org', txt('v=STSv1; id=2026-11-24'), 'STS-TXT'],
    [
      'tlsa _25._tcp.mail.example.org',
      { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'cd'.repeat(32) },
      'DANE-MATCH',
    ],
    ['caa example.org', { type: 'CAA', flags: 0, tag: 'issue', value: 'other.example' }, 'CAA'],
  ];
  it.each(changed)('%s to %j: only %s fails', async (key, data, id) => {
    const { failing } = await check(
      healthyPlan.map((record) => lineOf(keyOf(record) === key ? { ...record, data } : record)),
    );
    // A foreign MX is not in the MTA-STS policy either.
    expect(failing.map((finding) => finding.id).filter((one) => one !== 'STS-MX')).toEqual([id]);
    const original = healthyPlan.find((record) => keyOf(record) === key);
    if (id !== 'SPF-ALL') expect(failing[0]?.fix?.record?.data).toEqual(original?.data);
  });

  it.each<[string, RecordData]>([
    ['spf example.org', txt('v=spf1 a:mail.example.org ip4:198.51.100.7 ~all')],
    ['dmarc _dmarc.example.org', txt('v=DMARC1; p=reject; rua=mailto:postmaster@example.org')],
    ['mx example.org', { type: 'MX', preference: 5, exchange: 'mail.example.org' }],
  ])('%s to something as good is a warning', async (key, data) => {
    const { report, failing } = await check(
      healthyPlan.map((record) => lineOf(keyOf(record) === key ? { ...record, data } : record)),
    );
    expect(failing).toEqual([]);
    const drift = report.results.filter(({ id, status }) => id === 'RECORD' && status === 'warn');
    expect(drift).toHaveLength(1);
    expect(drift[0]?.message).toBe('The record works, but differs from the plan.');
  });

  it.each<[string, RecordData]>([
    ['spf example.org', txt('V=SPF1  A:mail.example.org -ALL ')],
    ['dmarc _dmarc.example.org', txt('v=DMARC1;p=quarantine;rua=mailto:postmaster@example.org;')],
    ['tls-rpt _smtp._tls.example.org', txt('v=TLSRPTv1;  rua = mailto:postmaster@example.org')],
  ])('%s in another spelling is no change', async (key, data) => {
    const { report, failing } = await check(
      healthyPlan.map((record) => lineOf(keyOf(record) === key ? { ...record, data } : record)),
    );
    expect(failing).toEqual([]);
    expect(report.results.filter(({ id, status }) => id === 'RECORD' && status !== 'pass')).toEqual([]);
  });
});

describe('something added', () => {
  const all = healthyPlan.map(lineOf);
  it.each([
    ['a second SPF record', 'example.org TXT "v=spf1 mx -all"', 'SPF-ONE'],
    ['a second DMARC record', '_dmarc.example.org TXT "v=DMARC1; p=none"', 'DMARC-ONE'],
    ['a second DKIM key', 's202611._domainkey.example.org TXT "v=DKIM1; p=AAAA"', 'DKIM-MULTI'],
    ['a foreign MX', 'example.org MX 10 ns1.example.org', 'MX-OURS'],
    ['a null MX', 'example.org MX 0 .', 'MX-NULL'],
    ['a second MTA-STS record', '_mta-sts.example.org TXT "v=STSv1; id=zzz"', 'STS-TXT'],
    ['DMARC at the apex', 'example.org TXT "v=DMARC1; p=none"', 'TXT-LOC'],
    ['a doubled name', '_dmarc.example.org.example.org TXT "v=DMARC1; p=none"', 'TXT-LOC'],
  ])('%s: only %s', async (_, line, id) => {
    const { failing } = await check([...all, line]);
    expect(failing.map((finding) => finding.id).filter((one) => one !== 'STS-MX')).toEqual([id]);
  });
  it('leaves other people’s TXT alone', async () => {
    const { failing } = await check([...all, 'example.org TXT "google-site-verification=abc"']);
    expect(failing).toEqual([]);
  });
});

describe('advice', () => {
  it('never sends other people’s TXT away', async () => {
    const records = [
      ...healthyPlan.map(lineOf),
      'example.org TXT "v=spf1 mx -all"',
      'example.org TXT "google-site-verification=abc"',
    ];
    const { failing } = await check(records);
    expect(failing.map(({ fix }) => fix?.text)).toEqual([
      'At example.org, put this record in the place of every TXT record that begins with v=spf1; leave the others alone.',
    ]);
  });
});

describe('what the lookups cannot tell', () => {
  const all = healthyPlan.map(lineOf);
  it.each([2, 5])(
    'RCODE %s from both servers: everything asked there is unknown, nothing absent, nothing passes',
    async (rcode) => {
      const answering = new Set(['example.org SOA', 'example.org NS']);
      const intercept = ({ name, type }: { name: string; type: string }) =>
        answering.has(`${name} ${type}`) ? undefined : rcode;
      const { report, failing } = await check(all, { ns1: { intercept }, ns2: { intercept } });
      expect(failing).toEqual([]);
      for (const id of [
        'HOST-A',
        'MX-EXISTS',
        'SPF-MISSING',
        'DKIM-KEY',
        'DMARC-ONE',
        'STS-TXT',
        'TLSRPT',
        'CAA',
        'SRV',
        'RECORD',
      ])
        expect(report.results.filter((finding) => finding.id === id).map(({ status }) => status)).toContain(
          'unknown',
        );
      const passed = report.results.filter(({ status }) => status === 'pass').map(({ id }) => id);
      expect(passed.filter((id) => !/^(?:NS-|NEG-TTL|PTR-|DANE-DOE)/.test(id))).toEqual([]);
    },
  );
  it('silence of both servers: answers come from the resolver, and say so', async () => {
    const intercept = () => 'drop' as const;
    const { report, failing } = await check(all, { ns1: { intercept }, ns2: { intercept } });
    expect(failing).toEqual([]);
    const mx = report.results.find(({ id }) => id === 'MX-EXISTS');
    expect(mx).toMatchObject({ status: 'pass', level: 'recursive' });
    expect(report.results.find(({ id }) => id === 'NS-AUTH')).toMatchObject({ status: 'unknown' });
  });
  it('an unreachable resolver and servers: all is unknown', async () => {
    const drop = { intercept: () => 'drop' as const };
    const { report } = await check(all, { ns1: drop, ns2: drop, resolver: drop });
    expect(report.summary.pass).toBe(0);
    expect(report.summary.fail).toBe(0);
    expect(report.summary.unknown).toBeGreaterThan(10);
  });
});

describe('levels', () => {
  const all = healthyPlan.map(lineOf);
  it('written, but not yet served by every name server', async () => {
    const { report, failing } = await check(all, {
      records2: all.filter((line) => !line.startsWith('_dmarc')),
    });
    expect(failing).toEqual([]);
    expect(
      report.results.find(
        ({ id, name, status }) => id === 'RECORD' && name === '_dmarc.example.org' && status === 'warn',
      )?.message,
    ).toBe('Written, but not yet served by ns2.example.org.');
    expect(report.results.find(({ id, status }) => id === 'NS-SYNC' && status === 'warn')?.subject).toBe(
      '_dmarc.example.org TXT',
    );
  });
  it('served, but cached otherwise', async () => {
    const old = ['old.example.org A 198.51.100.1', ...all.filter((line) => !line.startsWith('_dmarc'))];
    const zones = {
      org: ['org SOA a.nic.org h.nic.org 1 900', 'org NS a.nic.org', 'a.nic.org A 198.51.100.5'],
    };
    const { report, failing } = await check(all, {
      resolver: {
        zones: {
          ...zones,
          'example.org': [
            'example.org SOA ns1.example.org hostmaster.example.org 6 1800',
            'example.org NS ns1.example.org',
            'ns1.example.org A 198.51.100.2',
            ...old,
          ],
          '': healthyWorld,
        },
      },
    });
    expect(failing.filter(({ id }) => id !== 'NS-DELEG')).toEqual([]);
    expect(report.results.find(({ id, status }) => id === 'CACHED' && status === 'info')).toMatchObject({
      name: '_dmarc.example.org',
      message: expect.stringMatching(/still remembers the old state for at most 300 s/),
    });
  });
});
