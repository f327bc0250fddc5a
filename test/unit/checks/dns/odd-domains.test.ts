import { describe, expect, it } from 'vitest';
import type { Status } from '../../../../src/checks/check.js';
import { runDnsChecks } from '../../../../src/checks/run.js';
import { dkimPublicKey, type LabOptions, openDnsLab, txtLine } from '../../../helpers/dns-lab.js';

/** A healthy domain of somebody else's, of which only the name is known. */
const healthy = [
  'mail.example.org A 93.184.216.34',
  'example.org MX 10 mail.example.org',
  'example.org TXT "v=spf1 a:mail.example.org -all"',
  'mail.example.org TXT "v=spf1 a -all"',
  '_dmarc.example.org TXT "v=DMARC1; p=reject; rua=mailto:d@example.org"',
  txtLine('default._domainkey.example.org', `v=DKIM1; k=rsa; p=${dkimPublicKey}`),
];

async function check(lab: Partial<LabOptions>, domain = 'example.org') {
  const world = ['34.216.184.93.in-addr.arpa PTR mail.example.org'];
  const { deps } = openDnsLab({ records: healthy, world, ...lab });
  const target = { domain, addresses: [], mail: 'unknown', expected: [], selectors: [] } as const;
  const { results, summary } = await runDnsChecks({ targets: [target], resolver: 'test' }, deps);
  const of = (status: Status) => results.filter((one) => one.status === status).map(({ id }) => id);
  const messageOf = (id: string) => results.find((one) => one.id === id)?.message;
  return { results, summary, fails: of('fail'), warns: of('warn'), unknowns: of('unknown'), messageOf };
}

const drop = { intercept: () => 'drop' as const };
const servfail = {
  intercept: ({ name }: { name: string }) => (name.endsWith('example.org') ? 2 : undefined),
};

describe('--domain alone', () => {
  it('a healthy domain has nothing to complain about', async () => {
    expect(await check({})).toMatchObject({ fails: [], warns: [], unknowns: [] });
  });

  it('without MX, with an address: the fallback is named', async () => {
    const report = await check({ records: ['example.org A 93.184.216.34'] });
    expect(report.messageOf('MX-EXISTS')).toContain('fall back');
    expect(report.fails).toEqual(['DMARC-ONE', 'SPF-MISSING']);
  });

  it('without MX and address: no mail gets there', async () => {
    const report = await check({ records: ['example.org TXT "x"'] });
    expect(report.messageOf('MX-EXISTS')).toContain('takes no mail');
  });

  it('that does not exist: said once, before all else', async () => {
    const report = await check({}, 'nope.example.org');
    expect(report.fails).toContain('MX-EXISTS');
    expect(report.messageOf('MX-EXISTS')).toBe('nope.example.org does not exist in DNS.');
  });

  it('parked as it should be: one line for the wildcard of revoked keys, nothing to sign', async () => {
    const parked = [
      'example.org MX 0 .',
      'example.org TXT "v=spf1 -all"',
      '_dmarc.example.org TXT "v=DMARC1; p=reject; rua=mailto:d@example.org"',
    ];
    const wildcard = await check({ records: [...parked, '*._domainkey.example.org TXT "v=DKIM1; p="'] });
    expect(wildcard).toMatchObject({ fails: [], warns: [], unknowns: [] });
    expect(wildcard.results.filter(({ id }) => id === 'DKIM-REVOKED')).toMatchObject([
      { status: 'info', name: '*._domainkey.example.org' },
    ]);
    const bare = await check({ records: parked });
    expect(bare).toMatchObject({ fails: [], warns: [], unknowns: [] });
    expect(bare.messageOf('DKIM-NX')).toContain('sends no mail');
  });

  it('an alias: named, whatever stands behind it', async () => {
    const world = ['host.cdn.example MX 10 mx.cdn.example', 'mx.cdn.example A 93.184.216.36'];
    const report = await check(
      { records: [...healthy, 'www.example.org CNAME host.cdn.example'], world },
      'www.example.org',
    );
    expect(report.fails).toEqual(['NAME-CNAME', 'SPF-MISSING']);
  });

  it('below another one: DMARC is inherited, the rest is its own', async () => {
    const records = [
      ...healthy,
      'sub.example.org MX 10 mail.example.org',
      'sub.example.org TXT "v=spf1 a:mail.example.org -all"',
      txtLine('s1._domainkey.sub.example.org', `v=DKIM1; p=${dkimPublicKey}`),
    ];
    const report = await check({ records }, 'sub.example.org');
    expect(report).toMatchObject({ fails: [], warns: [], unknowns: [] });
    expect(report.results.find(({ id }) => id === 'DMARC-ONE')?.status).toBe('pass');
  });

  it('with a wildcard that answers for policies: those are not taken for records of their own', async () => {
    const report = await check({
      records: ['example.org MX 10 mail.example.org', '*.example.org TXT "v=spf1 -all"'],
    });
    expect(report.fails).toContain('DMARC-ONE');
    expect(report.warns).toContain('NAME-WILD');
  });

  it('one lame server: named, the others speak', async () => {
    const report = await check({ ns2: { intercept: () => 'lame' } });
    expect(report.fails).toEqual([]);
    expect(new Set(report.warns)).toEqual(new Set(['NS-AUTH']));
  });

  it('SERVFAIL wherever one asks: all unknown, nothing passes', async () => {
    const report = await check({ ns1: servfail, ns2: servfail, resolver: servfail });
    expect(report.summary).toMatchObject({ pass: 0, fail: 0, warn: 0 });
    expect(report.unknowns.length).toBeGreaterThan(10);
  });

  it('servers that refuse: nothing absent, and the servers are named', async () => {
    const refuse = { intercept: () => 5 };
    const report = await check({ ns1: refuse, ns2: refuse });
    expect(report.fails).toEqual([]);
    expect(report.warns).toContain('NS-AUTH');
    expect(report.unknowns).toContain('SPF-MISSING');
  });

  it('bogus signatures: one fail that says so, while the rest is read from its servers', async () => {
    const report = await check({
      parent: [`example.org DS 12345 13 2 ${'ab'.repeat(32)}`],
      resolver: { intercept: ({ name, cd }) => (name.endsWith('example.org') && !cd ? 2 : undefined) },
    });
    expect(report.fails).toEqual(['DNSSEC']);
    expect(report.messageOf('DNSSEC')).toContain('bogus');
  });

  it('servers behind a wall: the resolver is asked, and every answer says so', async () => {
    const report = await check({ ns1: drop, ns2: drop });
    expect(report.fails).toEqual([]);
    expect(report.unknowns).toEqual(['NS-AUTH', 'NS-DELEG'].filter((id) => report.unknowns.includes(id)));
    expect(report.results.find(({ id }) => id === 'MX-EXISTS')).toMatchObject({ level: 'recursive' });
  });

  it('sixty kilobytes of TXT beside the SPF record', async () => {
    const many = Array.from({ length: 60 }, (_, index) =>
      txtLine('example.org', `verification-${index}=${'x'.repeat(900)}`),
    );
    const report = await check({ records: [...healthy, ...many] });
    expect(report).toMatchObject({ fails: [], warns: [], unknowns: [] });
    expect(report.messageOf('SPF-SIZE')).toContain('UDP');
  });

  it('answers in other letters than the question (0x20)', async () => {
    // Only owner names: every letter after a length byte of the question and the compressed names is flipped.
    const mangle = (reply: Buffer) => {
      const bytes = Buffer.from(reply);
      for (let at = 12; bytes[at] !== 0 && at < bytes.length; ) {
        const length = bytes[at] ?? 0;
        for (let i = at + 1; i <= at + length; i += 2) {
          const byte = bytes[i] ?? 0;
          if (byte >= 0x61 && byte <= 0x7a) bytes[i] = byte - 0x20;
        }
        at += length + 1;
      }
      return bytes;
    };
    expect(await check({ ns1: { mangle }, ns2: { mangle }, resolver: { mangle } })).toMatchObject({
      fails: [],
      warns: [],
      unknowns: [],
    });
  });
});
