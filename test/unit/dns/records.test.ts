import { describe, expect, test } from 'vitest';
import { formatRecord } from '../../../src/dns/canonical.js';
import { chooseSelector } from '../../../src/dns/records/dkim.js';
import { desiredRecords } from '../../../src/dns/records/index.js';
import type { DomainInput, HostInput } from '../../../src/dns/records/input.js';
import { mtaStsId } from '../../../src/dns/records/mta-sts.js';
import { domain, host, hostName, ipv6, key, textOf, txt } from './zone-fixture.js';

const policyText = 'version: STSv1\r\nmode: testing\r\nmx: mail.example.org\r\nmax_age: 604800\r\n';
const everything: DomainInput['features'] = {
  mtaSts: { policyText, served: true },
  tlsRpt: { rua: ['postmaster@example.org'] },
  srv: { submissions: true, submission: false, imaps: true },
  autoconfig: true,
};
const fullHost: HostInput = {
  ...host,
  ipv6,
  features: {
    tlsa: { zoneSigned: true, renewalsReuseKey: true, digests: ['AA', 'bb'] },
    caa: { issuer: 'letsencrypt.org' },
  },
};
const lines = (domains: DomainInput[], hosts: HostInput[] = [host]) =>
  desiredRecords({ hosts, domains }).map(formatRecord);
const rolesOf = (domains: DomainInput[], hosts: HostInput[] = [host]) =>
  desiredRecords({ hosts, domains }).map(({ role }) => role);

describe('desired records', () => {
  test('the default set is A, SPF, host SPF, DKIM, DMARC, MX', () => {
    expect(rolesOf([domain]).sort()).toEqual(['a', 'dkim', 'dmarc', 'host-spf', 'mx', 'spf']);
  });

  test('with every feature on', async () => {
    const all = lines([{ ...domain, features: everything }], [fullHost]);
    await expect(`${all.join('\n')}\n`).toMatchFileSnapshot('../../golden/dns/all-features.zone');
  });

  test('AAAA only when IPv6 works', () => {
    expect(rolesOf([domain], [{ ...host, ipv6 }])).toContain('aaaa');
    expect(rolesOf([domain], [host])).not.toContain('aaaa');
  });

  test('stages: addresses, then SPF and DKIM, then DMARC, then MX, the rest last', () => {
    const stages = new Map(
      desiredRecords({ hosts: [fullHost], domains: [{ ...domain, features: everything }] }).map((r) => [
        r.role,
        r.stage,
      ]),
    );
    expect(Object.fromEntries(stages)).toMatchObject({
      a: 'host',
      aaaa: 'host',
      caa: 'host',
      'mta-sts-host': 'host',
      spf: 'auth',
      'host-spf': 'auth',
      dkim: 'auth',
      dmarc: 'policy',
      mx: 'mx',
      'mta-sts': 'tail',
      'tls-rpt': 'tail',
      tlsa: 'tail',
      srv: 'tail',
      autoconfig: 'host',
      autodiscover: 'host',
    });
  });

  test('each role can be deselected', () => {
    for (const role of rolesOf([{ ...domain, features: everything }], [fullHost])) {
      const off = { [role]: false };
      const left = rolesOf(
        [{ ...domain, features: everything, records: off }],
        [{ ...fullHost, records: off }],
      );
      expect(left).not.toContain(role);
      expect(left.length).toBeGreaterThan(0);
    }
  });

  test('a key that is not made yet leaves its record pending, without a value', () => {
    const [dkim] = desiredRecords({ hosts: [], domains: [{ ...domain, dkim: [{ selector: 's1' }] }] }).filter(
      ({ role }) => role === 'dkim',
    );
    expect(dkim?.pending).toBe('the key that the server will make');
    expect(textOf(dkim?.data)).toBe('');
  });

  test('several selectors and several domains on one server', () => {
    const other: DomainInput = {
      ...domain,
      name: 'other.net',
      dkim: [{ selector: 'a', publicKey: key }, { selector: 'b' }],
    };
    const names = desiredRecords({ hosts: [host], domains: [domain, other] }).map(({ name }) => name);
    expect(names).toContain('a._domainkey.other.net');
    expect(names).toContain('b._domainkey.other.net');
    expect(names.filter((name) => name === hostName)).toHaveLength(2);
  });

  test('a domain that is its own mail host has one SPF record', () => {
    const own = { ...domain, host: 'example.org' };
    const spf = desiredRecords({ hosts: [{ ...host, name: 'example.org' }], domains: [own] }).filter(
      ({ data }) => textOf(data)?.startsWith('v=spf1') === true,
    );
    expect(spf.map(({ data }) => textOf(data))).toEqual(['v=spf1 a -all']);
  });

  test('parked names: nobody sends, forgeries are rejected, nobody receives', () => {
    const parked = desiredRecords({ hosts: [], domains: [], parked: [{ name: 'parked.net', ttl: 300 }] }).map(
      formatRecord,
    );
    expect(parked).toEqual([
      'parked.net. 300 IN TXT "v=spf1 -all"',
      '_dmarc.parked.net. 300 IN TXT "v=DMARC1; p=reject"',
      'parked.net. 300 IN MX 0 .',
    ]);
  });

  test('DMARC reports about one domain at another of ours are authorised there (RFC 9990)', () => {
    const other = { ...domain, name: 'other.net', dmarc: { rua: ['dmarc@example.org'] } };
    expect(lines([domain, other])).toContain('other.net._report._dmarc.example.org. 3600 IN TXT "v=DMARC1"');
    const sub = { ...domain, name: 'sub.example.org', dmarc: { rua: ['dmarc@example.org'] } };
    expect(lines([domain, sub]).join('\n')).not.toContain('_report');
    const parent = { ...domain, dmarc: { rua: ['dmarc@sub.example.org'] } };
    expect(lines([parent, { ...sub, dmarc: {} }]).join('\n')).not.toContain('_report');
    const outside = { ...domain, dmarc: { rua: ['mailto:x@reports.example'] } };
    expect(lines([outside]).join('\n')).not.toContain('_report');
  });
});

describe('values', () => {
  test('R8: DMARC has v, p, then the rest, and never pct, rf or ri', () => {
    for (const policy of ['none', 'quarantine', 'reject'] as const) {
      const dmarc = lines([
        { ...domain, dmarc: { policy, rua: ['a@example.org', 'mailto:b@example.org'] } },
      ]).find((l) => l.startsWith('_dmarc'));
      expect(dmarc).toContain(`"v=DMARC1; p=${policy}; rua=mailto:a@example.org,mailto:b@example.org"`);
      expect(dmarc).not.toMatch(/\b(?:pct|rf|ri)=/);
    }
  });

  test('R8: absent DMARC begins as quarantine, beside other senders as none, always with rua', () => {
    const policy = (part: Partial<DomainInput>) =>
      textOf(
        desiredRecords({ hosts: [], domains: [{ ...domain, ...part }] }).find(({ role }) => role === 'dmarc')
          ?.data,
      );
    expect(policy({})).toBe('v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org');
    expect(policy({ otherSenders: true })).toBe('v=DMARC1; p=none; rua=mailto:postmaster@example.org');
  });

  test('R9: a selector that is in use gets a successor, never an overwrite', () => {
    const zone = [
      txt('s202611._domainkey.example.org', 'v=DKIM1; p=x'),
      txt('s202611b._domainkey.example.org', ''),
    ];
    expect(chooseSelector('s202611', 'example.org', [])).toBe('s202611');
    expect(chooseSelector('s202611', 'example.org', zone)).toBe('s202611c');
  });

  test('R15: TLSA only in a signed zone and with key reuse, all digests at once', () => {
    const tlsa = (zoneSigned: boolean, renewalsReuseKey: boolean) =>
      lines(
        [domain],
        [{ ...host, features: { tlsa: { zoneSigned, renewalsReuseKey, digests: ['AA', 'bb'] } } }],
      ).filter((l) => l.includes('TLSA'));
    expect(tlsa(true, true)).toEqual([
      '_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 aa',
      '_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 bb',
    ]);
    expect(tlsa(false, true)).toEqual([]);
    expect(tlsa(true, false)).toEqual([]);
  });

  test('R16: _mta-sts only after the policy is served; its id is the hash of the policy', () => {
    const sts = (served: boolean) =>
      lines([{ ...domain, features: { mtaSts: { policyText, served } } }]).filter((line) =>
        line.includes('STSv1'),
      );
    expect(sts(false)).toEqual([]);
    expect(sts(true)).toEqual([`_mta-sts.example.org. 3600 IN TXT "v=STSv1; id=${mtaStsId(policyText)}"`]);
    expect(mtaStsId(policyText)).toMatch(/^[a-z0-9]{1,32}$/);
    expect(mtaStsId(policyText)).not.toBe(mtaStsId(policyText.replace('testing', 'enforce')));
  });

  test('A3: send-only publishes host addresses, SPF, DKIM and DMARC p=none, nothing else', () => {
    const sendOnly: DomainInput = { ...domain, mail: 'send-only', features: everything };
    const records = desiredRecords({ hosts: [fullHost], domains: [sendOnly] });
    expect(records.map(({ role }) => role).sort()).toEqual([
      'a',
      'aaaa',
      'caa',
      'dkim',
      'dmarc',
      'host-spf',
      'spf',
    ]);
    expect(textOf(records.find(({ role }) => role === 'dmarc')?.data)).toBe('v=DMARC1; p=none');
  });

  test('A4: our SPF never says mx; -all only without other senders', () => {
    const spf = (otherSenders: boolean) =>
      textOf(
        desiredRecords({ hosts: [host], domains: [{ ...domain, otherSenders }] }).find(
          ({ role }) => role === 'spf',
        )?.data,
      );
    expect(spf(false)).toBe('v=spf1 a:mail.example.org -all');
    expect(spf(true)).toBe('v=spf1 a:mail.example.org ~all');
  });

  test('A5: the desired state is a function of its input alone', () => {
    const input = { hosts: [fullHost], domains: [{ ...domain, features: everything }] };
    expect(desiredRecords(input)).toEqual(desiredRecords(structuredClone(input)));
    for (const record of desiredRecords(input)) expect(record.ttl).toBe(3600);
  });
});
