import { describe, expect, it } from 'vitest';
import type { Lock } from '../../../src/config/lock.js';
import { configSchema } from '../../../src/config/schema.js';
import type { DnsRecord } from '../../../src/dns/record.js';
import { mtaStsId } from '../../../src/dns/records/mta-sts.js';
import { intendDns } from '../../../src/pipeline/desired-dns.js';

const hostname = 'mail.example.org';
const addresses = { ipv4: '198.51.100.7' };
const empty: Lock = { version: 1, servers: {}, domains: {} };

function intend(
  domain: object,
  given: {
    live?: readonly DnsRecord[];
    lock?: Lock;
    tlsa?: readonly (string | undefined)[];
    name?: string;
  } = {},
) {
  const { live, lock = empty, tlsa, name = 'example.org' } = given;
  const config = configSchema.parse({
    version: 1,
    servers: { [hostname]: { ssh: 'root@198.51.100.7' } },
    domains: { [name]: { dns: 'cloudflare', ...domain } },
  });
  const intent = intendDns(config, lock, hostname, addresses, new Map(), live, 'letsencrypt.org', tlsa);
  const roles = intent.desired.map(({ role }) => role);
  const textOf = (role: string) => {
    const data = intent.desired.find((record) => record.role === role)?.data;
    return data?.type === 'TXT' ? data.text : undefined;
  };
  return { ...intent, roles, textOf, served: intent.web.get(name) };
}

describe('what a domain publishes for the web', () => {
  it('is on from the first init, MTA-STS in testing with reports to postmaster', () => {
    const { roles, served, textOf } = intend({}, { live: [] });
    expect(roles).toEqual(
      expect.arrayContaining(['mta-sts-host', 'mta-sts', 'tls-rpt', 'autoconfig', 'autodiscover']),
    );
    const policy = 'version: STSv1\nmode: testing\nmx: mail.example.org\nmax_age: 86400\n';
    expect(served).toEqual({ autoconfig: true, autodiscover: true, policy });
    expect(textOf('mta-sts')).toBe(`v=STSv1; id=${mtaStsId(policy)}`);
    expect(textOf('tls-rpt')).toBe('v=TLSRPTv1; rua=mailto:postmaster@example.org');
  });

  it('says what the config says', () => {
    const { served, textOf } = intend({
      mtaSts: { mode: 'enforce' },
      tlsRpt: { rua: ['reports@example.net'] },
    });
    expect(served?.policy).toBe('version: STSv1\nmode: enforce\nmx: mail.example.org\nmax_age: 604800\n');
    expect(textOf('tls-rpt')).toBe('v=TLSRPTv1; rua=mailto:reports@example.net');
    expect(intend({ mtaSts: { mode: 'none', maxAge: 90_000 } }).served?.policy).toContain(
      'mode: none\nmx: mail.example.org\nmax_age: 90000\n',
    );
  });

  it('can be deselected, each by itself', () => {
    const { roles, served } = intend({ records: { 'mta-sts-host': false, autodiscover: false } });
    expect(served).toEqual({ autoconfig: true, autodiscover: false });
    expect(roles).not.toContain('mta-sts');
    expect(roles).not.toContain('mta-sts-host');
    expect(roles).not.toContain('autodiscover');
    const records = { 'mta-sts-host': false, autodiscover: false, autoconfig: false };
    expect(intend({ records }).served).toBeUndefined();
  });

  it('is nothing where the mail goes elsewhere (A3)', () => {
    const { roles, served } = intend({ mail: 'send-only' });
    expect(served).toBeUndefined();
    for (const role of ['mta-sts-host', 'mta-sts', 'tls-rpt', 'autoconfig', 'autodiscover', 'srv'])
      expect(roles).not.toContain(role);
  });

  it('leaves alone what stands at a name, and asks for no certificate there', () => {
    const cname = (label: string, target: string): DnsRecord => ({
      name: `${label}.example.org`,
      ttl: 300,
      data: { type: 'CNAME', target },
    });
    const live = [cname('autoconfig', 'settings.elsewhere.test'), cname('autodiscover', hostname)];
    expect(intend({}, { live }).served).toMatchObject({ autoconfig: false, autodiscover: true });
    const address: DnsRecord = {
      name: 'mta-sts.example.org',
      ttl: 300,
      data: { type: 'A', address: '198.51.100.99' },
    };
    const taken = intend({}, { live: [address] });
    expect(taken.served?.policy).toBeUndefined();
    expect(taken.roles).not.toContain('mta-sts');
  });

  it('is the same without a look at the zone: what the last apply found is in the lock file', () => {
    const lock: Lock = {
      ...empty,
      domains: { 'example.org': { dkim: [], elsewhere: ['autoconfig', 'mta-sts'] } },
    };
    const { roles, served } = intend({}, { lock });
    expect(served).toEqual({ autoconfig: false, autodiscover: true });
    expect(roles).toContain('autodiscover');
    for (const role of ['autoconfig', 'mta-sts', 'mta-sts-host']) expect(roles).not.toContain(role);
  });

  it('lets the authority into the CAA set of a domain that the host is not below', () => {
    const caa = (name: string) =>
      intend({}, { live: [], name }).desired.flatMap((record) =>
        record.role === 'caa' ? [record.name] : [],
      );
    expect(caa('example.org')).toEqual([hostname]);
    expect(caa('example.net')).toEqual([hostname, 'example.net']);
  });

  it('announces the keys where DANE is possible', () => {
    const tlsa = ['aa'.repeat(32), 'bb'.repeat(32)];
    const digests = (given?: readonly (string | undefined)[]) =>
      intend({}, { live: [], ...(given === undefined ? {} : { tlsa: given }) }).desired.flatMap(
        ({ data, pending }) => (data.type === 'TLSA' ? [pending === undefined ? data.data : 'pending'] : []),
      );
    expect(digests(tlsa)).toEqual(tlsa);
    expect(digests([undefined, undefined])).toEqual(['pending', 'pending']);
    expect(digests()).toEqual([]);
  });
});
