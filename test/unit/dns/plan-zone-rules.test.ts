import { describe, expect, test } from 'vitest';
import { fillPending, planZone, recordsOfZone, zoneAfter } from '../../../src/dns/plan-zone.js';
import type { LiveRecord, RecordData } from '../../../src/dns/record.js';
import { desiredRecords } from '../../../src/dns/records/index.js';
import type { ZonePlan } from '../../../src/dns/zone-plan.js';
import {
  afterPlan,
  allConsents,
  caps,
  change,
  codes,
  domain,
  domainName,
  host,
  hostName,
  installId,
  ipv4,
  ipv6,
  key,
  live,
  mx,
  plan,
  roles,
  textOf,
  txt,
  zone,
} from './zone-fixture.js';

const ours = (role: string): Partial<LiveRecord> => ({ mark: `smtp-setup/1 ${installId} ${role}` });
const notes = (done: ReturnType<typeof plan>): string => done.notes.map(({ text }) => text).join('\n');

describe('R1: the zone must be seen', () => {
  test('R1: a zone that is pending, or whose writes would not be seen, stops; one that is served does not', () => {
    expect(codes(plan([], { zone: { ...zone, state: 'pending' } }))).toEqual(['E_ZONE_NOT_ACTIVE']);
    expect(codes(plan([], { zone: { ...zone, state: 'unknown' } }))).toEqual([]);
    const paused = plan([], { zone: { ...zone, note: 'The zone is paused: records are served.' } });
    expect(codes(paused)).toEqual([]);
    expect(notes(paused)).toContain('The zone is paused');
    const partial = plan([], { zone: { ...zone, state: 'unknown', note: 'partial (CNAME) setup' } });
    expect(partial.conflicts[0]).toMatchObject({ evidence: ['partial (CNAME) setup'] });
    expect(partial.conflicts[0]?.fix[0]).toContain('ada.ns.example, bob.ns.example');
  });

  test('R1: other name servers in the delegation stop; one that differs is a warning', () => {
    const delegated = (...delegation: string[]) => plan([], { evidence: { delegation } });
    expect(codes(delegated('ns1.other.example'))).toEqual(['E_ZONE_NOT_DELEGATED']);
    expect(codes(delegated('ADA.ns.example.', 'bob.ns.example'))).toEqual([]);
    expect(notes(delegated('ada.ns.example'))).toContain('differs');
  });

  test("R1: name servers of the user's own serve the zone as well", () => {
    const customNameServers = ['ns1.own.example', 'ns2.own.example'];
    const delegated = (...delegation: string[]) =>
      plan([], { zone: { ...zone, customNameServers }, evidence: { delegation } });
    for (const whole of [customNameServers, zone.nameServers]) {
      expect(codes(delegated(...whole))).toEqual([]);
      expect(notes(delegated(...whole))).not.toContain('differs');
    }
    expect(codes(delegated('NS1.own.example.'))).toEqual([]);
    expect(notes(delegated('ns1.own.example'))).toContain('differs');
    expect(notes(delegated('ns1.own.example', 'ada.ns.example'))).toContain('differs');
    const other = delegated('ns1.other.example');
    expect(codes(other)).toEqual(['E_ZONE_NOT_DELEGATED']);
    expect(other.conflicts[0]?.evidence[1]).toContain('bob.ns.example, ns1.own.example');
  });

  test('R1: records of other zones are not this plan', () => {
    const elsewhere = plan([], { host: { name: 'mail.hoster.net' } });
    expect(roles(elsewhere)).toEqual(['dkim', 'dmarc', 'mx', 'spf']);
  });
});

describe('R3: CNAME', () => {
  test('R3: nothing is put beside a CNAME at the mail host', () => {
    const done = plan([live(hostName, { type: 'CNAME', target: 'web.example.net' })]);
    expect(codes(done)).toEqual(['E_DNS_CNAME']);
    expect(roles(done)).not.toContain('host-spf');
  });

  test('R3: a _dmarc delegated to a vendor stays and is reported', () => {
    const cname = live('_dmarc.example.org', { type: 'CNAME', target: 'dmarc.vendor.example' });
    const done = plan([cname], { evidence: { behindCname: { '_dmarc.example.org': [] } } });
    expect(codes(done)).toEqual([]);
    expect(roles(done)).not.toContain('dmarc');
    expect(done.kept).toContainEqual(expect.objectContaining({ role: 'dmarc', live: [cname] }));
    expect(notes(done)).toContain('leads to nothing');
  });

  test('R3: a selector behind a CNAME counts only when our key answers there', () => {
    const name = 's202611._domainkey.example.org';
    const cname = live(name, { type: 'CNAME', target: 'k.vendor.example' });
    expect(codes(plan([cname]))).toEqual(['E_DKIM_SELECTOR_TAKEN']);
    const behind = { [name]: [{ type: 'TXT' as const, text: `v=DKIM1;p=${key}` }] };
    const followed = plan([cname], { evidence: { behindCname: behind } });
    expect(codes(followed)).toEqual([]);
    expect(roles(followed)).not.toContain('dkim');
  });

  test('R3: an apex CNAME is fine only where the provider flattens it', () => {
    const apex = live(domainName, { type: 'CNAME', target: 'web.example.net' });
    expect(codes(plan([apex]))).toEqual(['E_DNS_CNAME', 'E_DNS_CNAME']);
    expect(codes(plan([apex], { caps: { ...caps, flattensApexCname: true } }))).toEqual([]);
  });

  test('R3: our own CNAMEs do not push anything aside', () => {
    const features = { mtaSts: { policyText: 'x', served: false }, autoconfig: true };
    const done = plan([live('mta-sts.example.org', { type: 'A', address: '192.0.2.1' })], {
      domain: { features },
    });
    expect(codes(done)).toEqual([]);
    expect(roles(done)).not.toContain('mta-sts-host');
    expect(notes(done)).toContain('mta-sts.example.org. 3600 IN A 192.0.2.1 stands there');
  });

  test('below a delegation or a DNAME nothing would be seen', () => {
    expect(codes(plan([live(hostName, { type: 'NS', target: 'ns.other.example' })]))).toEqual([
      'E_DNS_DELEGATED',
    ]);
    expect(codes(plan([live(domainName, { type: 'NS', target: 'ada.ns.example' })]))).toEqual([]);
    const dname = live('_domainkey.example.org', { type: 'OTHER', rrtype: 'DNAME', text: 'x.example.' });
    expect(codes(plan([dname]))).toEqual(['E_DNS_DNAME']);
  });
});

describe('host addresses', () => {
  const a = (address: string, extra: Partial<LiveRecord> = {}) =>
    live(hostName, { type: 'A', address }, extra);

  test('another address is changed only with consent', () => {
    const old = a('192.0.2.9', { ttl: 120 });
    const done = plan([old]);
    expect(done.conflicts).toMatchObject([
      { code: 'E_DNS_NEEDS_UPDATE', consent: 'update', fix: ['Allow it with --allow-update.'] },
    ]);
    const allowed = plan([old], { consents: { update: true, delete: false } });
    expect(change(allowed, 'a')).toMatchObject({
      op: 'update',
      before: { id: old.id },
      after: { ttl: 120, data: { address: ipv4 } },
    });
  });

  test('a second address is removed only with consent', () => {
    const zoneRecords = [a(ipv4), a('192.0.2.9')];
    expect(plan(zoneRecords).conflicts).toMatchObject([{ code: 'E_DNS_NEEDS_DELETE', consent: 'delete' }]);
    const allowed = plan(zoneRecords, { consents: { update: false, delete: true } });
    expect(change(allowed, 'a')).toMatchObject({ op: 'delete', before: { data: { address: '192.0.2.9' } } });
  });

  test('an address of the apex is never changed, whatever was allowed', () => {
    const done = plan([live(domainName, { type: 'A', address: '192.0.2.80' })], {
      host: { name: domainName },
      consents: allConsents,
    });
    expect(codes(done)).toEqual(['E_APEX_ADDRESS']);
  });

  test('an AAAA where IPv6 does not work stays and is warned about', () => {
    const done = plan([live(hostName, { type: 'AAAA', address: '2001:db8::dead' })]);
    expect(codes(done)).toEqual([]);
    expect(roles(done)).not.toContain('aaaa');
    expect(notes(done)).toContain('IPv6 of the server is off');
  });

  test('R11: the mail host is never proxied; the fix is offered', () => {
    const proxied = a(ipv4, { proxied: true, ttl: 1 });
    const done = plan([proxied]);
    expect(done.conflicts).toMatchObject([{ code: 'E_HOST_PROXIED', consent: 'unproxy' }]);
    expect(done.conflicts[0]?.evidence[0]).toContain('(proxied)');
    const allowed = plan([proxied], { consents: { update: false, delete: false, unproxy: true } });
    expect(change(allowed, 'a')).toMatchObject({
      op: 'update',
      before: { proxied: true },
      after: { data: { address: ipv4 } },
    });
    expect(change(allowed, 'a')?.after).not.toHaveProperty('proxied');
    expect(codes(plan(afterPlan([proxied], allowed)))).toEqual([]);
  });

  test('R11: a proxied record that leads elsewhere needs both consents', () => {
    const proxied = a('192.0.2.9', { proxied: true });
    expect(codes(plan([proxied], { consents: { update: true, delete: true } }))).toEqual(['E_HOST_PROXIED']);
    expect(codes(plan([proxied], { consents: { update: true, delete: true, unproxy: true } }))).toEqual([]);
  });

  test('R11: records that the provider manages are untouchable', () => {
    const records = [
      live(
        domainName,
        { type: 'MX', preference: 5, exchange: 'route1.mx.cloudflare.net' },
        { readOnly: true },
      ),
    ];
    expect(codes(plan(records, { consents: allConsents }))).toContain('E_DNS_READ_ONLY');
    const spf = txt(domainName, 'v=spf1 include:_spf.mx.cloudflare.net ~all', { readOnly: true });
    expect(codes(plan([spf], { consents: allConsents }))).toEqual(['E_DNS_READ_ONLY']);
  });

  test('A6: private and documentation addresses stop, except in a private network', () => {
    const inside = plan([], { host: { ipv4: '10.0.0.5' }, privateNetwork: false });
    expect(inside.conflicts[0]?.fix[0]).toContain('--ipv4 ADDRESS');
    for (const address of ['10.0.0.5', '100.64.0.9', '192.168.1.1', ipv4]) {
      expect(codes(plan([], { host: { ipv4: address }, privateNetwork: false }))).toEqual([
        'E_HOST_ADDRESS_SPECIAL',
      ]);
      expect(codes(plan([], { host: { ipv4: address }, privateNetwork: true }))).toEqual([]);
    }
    expect(codes(plan([], { host: { ipv4: '9.9.9.9', ipv6 }, privateNetwork: false }))).toEqual([
      'E_HOST_ADDRESS_SPECIAL',
    ]);
    expect(codes(plan([], { host: { ipv4: '9.9.9.9' }, privateNetwork: false }))).toEqual([]);
  });
});

describe('SPF and DKIM in the zone', () => {
  const vendor = txt(domainName, 'v=spf1 include:x.example ~all', { ttl: 7200, mark: 'mine, do not touch' });

  test('R5: the edit needs consent and touches only the SPF record of the set', () => {
    const token = txt(domainName, 'google-site-verification=abc', { ttl: 7200 });
    expect(plan([token, vendor]).conflicts).toMatchObject([{ code: 'E_DNS_NEEDS_UPDATE', role: 'spf' }]);
    const done = plan([token, vendor], { consents: { update: true, delete: false } });
    expect(change(done, 'spf')).toMatchObject({
      op: 'update',
      before: { id: vendor.id },
      after: { ttl: 7200, data: { text: `v=spf1 include:x.example ip4:${ipv4} ~all` } },
    });
    expect(done.changes.some(({ before }) => before?.id === token.id)).toBe(false);
  });

  test('R5: an evaluation that gives pass makes it a no-op', () => {
    const spf = { [domainName]: { lookups: 3, voids: 0, results: { [ipv4]: 'pass' as const } } };
    const done = plan([vendor], { evidence: { spf } });
    expect(codes(done)).toEqual([]);
    expect(roles(done)).not.toContain('spf');
  });

  test('R5: two records become one in one batch, with both consents', () => {
    const records = [txt(domainName, 'v=spf1 mx ~all'), txt(domainName, 'v=spf1 include:x.example -all')];
    expect(codes(plan(records))).toEqual(['E_SPF_SEVERAL']);
    expect(codes(plan(records, { consents: { update: true, delete: false } }))).toEqual(['E_SPF_SEVERAL']);
    const done = plan(records, { consents: { update: true, delete: true } });
    expect(done.changes.filter(({ role }) => role === 'spf').map(({ op, stage }) => [op, stage])).toEqual([
      ['delete', 'auth'],
      ['update', 'auth'],
    ]);
    expect(plan(afterPlan(records, done)).changes).toEqual([]);
  });

  test('R7: the host name has its own SPF, and the plan says it is a different name', () => {
    const done = plan([]);
    expect(change(done, 'host-spf')).toMatchObject({
      after: { name: hostName, data: { text: 'v=spf1 a -all' } },
    });
    expect(change(done, 'host-spf')?.reason).toContain('a different name than the domain');
  });

  test('R9: the same key in another spelling is kept', () => {
    const done = plan([
      txt('s202611._domainkey.example.org', `k=rsa; t=s; p=${key.slice(0, 9)} ${key.slice(9)};`),
    ]);
    expect(codes(done)).toEqual([]);
    expect(roles(done)).not.toContain('dkim');
  });

  test.each([
    ['another key', ['v=DKIM1; p=OTHER']],
    ['a revoked key', ['v=DKIM1; p=']],
    ['two records', [`v=DKIM1; p=${key}`, 'v=DKIM1; p=OTHER']],
  ])('R9: %s at our selector is never replaced', (_, texts) => {
    const done = plan(
      texts.map((text) => txt('s202611._domainkey.example.org', text)),
      { consents: allConsents },
    );
    expect(done.conflicts).toMatchObject([
      { code: 'E_DKIM_SELECTOR_TAKEN', fix: ['Use a new selector; the old record stays.'] },
    ]);
    expect(roles(done)).not.toContain('dkim');
  });

  test('R9: a key that is yet to be made takes no selector that holds anything', () => {
    const pending = { dkim: [{ selector: 's202611' }] };
    expect(codes(plan([txt('s202611._domainkey.example.org', '')], { domain: pending }))).toEqual([
      'E_DKIM_SELECTOR_TAKEN',
    ]);
    expect(change(plan([], { domain: pending }), 'dkim')).toMatchObject({
      op: 'create',
      pending: expect.any(String),
    });
  });
});

describe('R8: DMARC', () => {
  const at = '_dmarc.example.org';

  test('R8: one that stands there is never changed; rua is offered', () => {
    const done = plan([txt(at, 'v=DMARC1; p=none')], {
      consents: allConsents,
      domain: { dmarc: { policy: 'reject' } },
    });
    expect(roles(done)).not.toContain('dmarc');
    expect(notes(done)).toContain('asks for no reports');
    expect(notes(done)).toContain('p=none, smtp-setup.yaml p=reject');
  });

  test('R8: two are none, so they stop', () => {
    expect(codes(plan([txt(at, 'v=DMARC1; p=none'), txt(at, 'v=DMARC1;p=reject')]))).toEqual([
      'E_DMARC_SEVERAL',
    ]);
  });

  test('R8: other senders soften a new policy', () => {
    const vendor = txt(domainName, `v=spf1 include:x.example ip4:${ipv4} -all`);
    expect(textOf(change(plan([]), 'dmarc')?.after?.data)).toContain('p=quarantine');
    expect(textOf(change(plan([vendor]), 'dmarc')?.after?.data)).toContain('p=none');
  });

  test('R8: other TXT at the name stays', () => {
    const done = plan([txt(at, 'hello')]);
    expect(change(done, 'dmarc')).toMatchObject({ op: 'create' });
    expect(notes(done)).toContain('is no DMARC record; it stays');
  });

  test('A5: our own record follows the config; the mark stands for the consent', () => {
    const own = txt(at, 'v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org', ours('dmarc'));
    const stricter = { dmarc: { policy: 'reject' as const } };
    expect(roles(plan([own]))).not.toContain('dmarc');
    const done = plan([own], { domain: stricter });
    expect(codes(done)).toEqual([]);
    expect(textOf(change(done, 'dmarc')?.after?.data)).toBe(
      'v=DMARC1; p=reject; rua=mailto:postmaster@example.org',
    );
    const pinned = { ...stricter, pinned: { dmarc: textOf(own.data) ?? '' } };
    const unmarked = { ...own, mark: undefined };
    expect(codes(plan([unmarked], { domain: pinned }))).toEqual(['E_DNS_NEEDS_UPDATE']);
    expect(roles(plan([unmarked], { domain: pinned, consents: allConsents }))).toContain('dmarc');
  });

  test('A5: without a word in the config our record stays, although the default has moved', () => {
    const own = txt(at, 'v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org', ours('dmarc'));
    expect(
      roles(
        plan([own, txt(domainName, `v=spf1 include:x.example ip4:${ipv4} -all`)], { consents: allConsents }),
      ),
    ).not.toContain('dmarc');
  });
});

describe('R10–R14, R22: sizes, wildcards, TTL, CAA, marks', () => {
  test('R10: a TXT set that outgrows 512 bytes by our record is warned about', () => {
    const tokens = [1, 2, 3].map((n) => txt(domainName, `token${n}=${'x'.repeat(140)}`));
    expect(notes(plan(tokens))).toContain('above 512');
    expect(notes(plan(tokens.slice(0, 1)))).not.toContain('above 512');
    const complete = afterPlan(tokens, plan(tokens));
    expect(notes(plan(complete))).not.toContain('above 512');
  });

  test('R10: what the provider cannot hold stops at plan time', () => {
    const rsa4096 = { dkim: [{ selector: 's202611', publicKey: 'A'.repeat(736) }] };
    expect(codes(plan([], { caps: { ...caps, maxTxt: 512 }, domain: rsa4096 }))).toEqual([
      'E_DNS_PROVIDER_REJECTS',
    ]);
    expect(codes(plan([], { audit: ({ data }) => (data.type === 'MX' ? ['no MX here'] : []) }))).toEqual([
      'E_DNS_PROVIDER_REJECTS',
    ]);
    const tokens = [1, 2, 3, 4].map((n) => txt(domainName, `token${n}=${'x'.repeat(2000)}`));
    const limited = { ...caps, maxTxtSet: 8192 };
    expect(codes(plan(tokens, { caps: limited }))).toEqual([]);
    expect(codes(plan([...tokens, txt(domainName, 'y'.repeat(150))], { caps: limited }))).toEqual([
      'E_DNS_PROVIDER_REJECTS',
    ]);
  });

  test('R12: a wildcard that our names hide is shown with its types', () => {
    const done = plan([
      live('*.example.org', { type: 'A', address: '192.0.2.1' }),
      txt('*.example.org', 'x'),
    ]);
    expect(notes(done)).toContain(
      'The wildcard *.example.org (A, TXT) answers for _dmarc.example.org, _domainkey.example.org, mail.example.org, s202611._domainkey.example.org today',
    );
  });

  test('R12: a name that exists already hides nothing new', () => {
    const records = [
      live('*.example.org', { type: 'A', address: '192.0.2.1' }),
      live('x.mail.example.org', { type: 'A', address: '192.0.2.2' }),
    ];
    expect(notes(plan(records))).not.toMatch(/wildcard[^;]*\bmail\.example\.org/);
  });

  test('R13: the TTL of a set that stands there binds, and is never shortened', () => {
    const done = plan([txt(domainName, 'token', { ttl: 43_200 })]);
    expect(change(done, 'spf')?.after?.ttl).toBe(43_200);
    expect(done.changes.every(({ op }) => op === 'create')).toBe(true);
  });

  test('R13: a TTL that differs from the configured one is left alone, ours included', () => {
    const before = plan([]).changes.flatMap(({ after, mark }) =>
      after === undefined ? [] : [{ ...after, ttl: 77, ...(mark === undefined ? {} : { mark }) }],
    );
    expect(plan(before, { consents: allConsents }).changes).toEqual([]);
  });

  test('R13: the TTL is brought into the range of the provider', () => {
    const done = plan([], { caps: { ...caps, minTtl: 7200 } });
    expect(new Set(done.changes.map(({ after: record }) => record?.ttl))).toEqual(new Set([7200]));
  });

  const caa = (value: string, tag = 'issue', name = domainName) =>
    live(name, { type: 'CAA', flags: 0, tag, value });
  const ourCa = { host: { features: { caa: { issuer: 'letsencrypt.org' } } } };

  test('R14: no CAA, none is begun', () => {
    expect(roles(plan([], ourCa))).not.toContain('caa');
    expect(roles(plan([caa('mailto:x@example.org', 'iodef')], ourCa))).not.toContain('caa');
  });

  test('R14: an existing set gets one issue more where it stands, climbing the tree', () => {
    const done = plan([caa('other-ca.example')], ourCa);
    expect(change(done, 'caa')).toMatchObject({
      op: 'create',
      after: { name: domainName, data: { value: 'letsencrypt.org' } },
    });
    const nearer = plan([caa('letsencrypt.org'), caa('other-ca.example', 'issue', hostName)], ourCa);
    expect(change(nearer, 'caa')).toMatchObject({ after: { name: hostName } });
    expect(plan(afterPlan([caa('other-ca.example')], done), ourCa).changes).toEqual([]);
  });

  test('R14: our CA in the set is enough; limits are pointed at, not overridden', () => {
    expect(roles(plan([caa('LetsEncrypt.org')], ourCa))).not.toContain('caa');
    const limited = plan([caa('letsencrypt.org; validationmethods=dns-01')], ourCa);
    expect(roles(limited)).not.toContain('caa');
    expect(notes(limited)).toContain('limits how letsencrypt.org may issue');
  });

  test('R14: a set above the zone cannot be joined from here', () => {
    const caaAbove = [caa('other-ca.example', 'issue', 'org')];
    expect(codes(plan([], { ...ourCa, evidence: { caaAbove } }))).toEqual(['E_CAA_FORBIDS']);
  });

  test('R15: TLSA of ours is completed and cleaned, foreign ones stop', () => {
    const name = '_25._tcp.mail.example.org';
    const tlsa = (data: string, extra: Partial<LiveRecord> = {}) =>
      live(name, { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data }, extra);
    const feature = {
      host: { features: { tlsa: { zoneSigned: true, renewalsReuseKey: true, digests: ['aa', 'bb'] } } },
    };
    const ourMx = live(domainName, { type: 'MX', preference: 10, exchange: hostName });
    expect(
      plan([ourMx], feature)
        .changes.filter(({ role }) => role === 'tlsa')
        .map(({ op }) => op),
    ).toEqual(['create', 'create']);
    expect(codes(plan([ourMx, tlsa('ff')], feature))).toEqual(['E_TLSA_FOREIGN']);
    const stale = plan([ourMx, tlsa('aa', ours('tlsa')), tlsa('ff', ours('tlsa'))], {
      ...feature,
      consents: { update: false, delete: true },
    });
    expect(stale.changes.filter(({ role }) => role === 'tlsa').map(({ op }) => op)).toEqual([
      'delete',
      'create',
    ]);
    // Without marks, a key of ours beside them tells whose they are.
    const unmarked = { ...feature, caps: { ...caps, marks: 'none' as const } };
    expect(codes(plan([ourMx, tlsa('ff')], unmarked))).toEqual(['E_TLSA_FOREIGN']);
    expect(codes(plan([ourMx, tlsa('aa'), tlsa('ff')], feature))).toEqual(['E_TLSA_FOREIGN']);
    const rolled = plan([ourMx, tlsa('aa'), tlsa('ff')], unmarked);
    expect(codes(rolled)).toEqual([]);
    expect(rolled.changes.filter(({ role }) => role === 'tlsa').map(({ op }) => op)).toEqual(['create']);
    expect(notes(rolled)).toContain('--allow-delete removes it');
    const noTlsa = plan([ourMx], { ...feature, caps: { ...caps, types: new Set(['A', 'MX', 'TXT']) } });
    expect(codes(noTlsa)).toEqual([]);
    expect(notes(noTlsa)).toContain('The provider has no TLSA records');
  });

  test('R15: a key that is still to be certified is announced once it is known, and old ones do no harm', () => {
    const name = '_25._tcp.mail.example.org';
    const tlsa = (data: string): RecordData => ({
      type: 'TLSA',
      usage: 3,
      selector: 1,
      matchingType: 1,
      data,
    });
    const feature = (...digests: (string | undefined)[]) => ({
      host: { features: { tlsa: { zoneSigned: true, renewalsReuseKey: true, digests } } },
    });
    const ofTlsa = (done: ZonePlan) => done.changes.filter(({ role }) => role === 'tlsa');
    const ourMx = live(domainName, { type: 'MX', preference: 10, exchange: hostName });
    const first = ofTlsa(plan([ourMx], feature(undefined, undefined)));
    expect(first.map(({ op, pending }) => [op, pending])).toEqual([
      ['create', 'the certificate that the authority will issue'],
      ['create', 'the certificate that the authority will issue'],
    ]);
    const known = fillPending(first, { [name]: [tlsa('aa'), tlsa('bb')] });
    expect(known.map(({ after }) => after?.data)).toEqual([tlsa('aa'), tlsa('bb')]);
    expect(known.every(({ pending }) => pending === undefined)).toBe(true);
    expect(fillPending(first, {}).every(({ pending }) => pending !== undefined)).toBe(true);

    const old = live(name, tlsa('cc'), ours('tlsa'));
    const again = plan([ourMx, old, live(name, tlsa('bb'), ours('tlsa'))], feature(undefined, 'bb'));
    expect(ofTlsa(again).map(({ op }) => op)).toEqual(['create']);
    const current = live(name, tlsa('aa'), ours('tlsa'));
    const values = { [name]: [tlsa('aa'), tlsa('bb')] };
    const next = fillPending(ofTlsa(plan([ourMx, current], feature('aa', undefined))), values);
    expect(next.map(({ after }) => after?.data)).toEqual([tlsa('bb')]);
    const returned = fillPending(ofTlsa(plan([ourMx, current], feature(undefined, undefined))), values);
    expect(returned.map(({ after }) => after?.data)).toEqual([tlsa('bb'), tlsa('aa')]);
    const both = [live(name, tlsa('aa'), ours('tlsa')), live(name, tlsa('bb'), ours('tlsa'))];
    const settled = plan([ourMx, old, ...both], feature('aa', 'bb'));
    expect(ofTlsa(settled)).toEqual([]);
    expect(codes(settled)).toEqual([]);
    expect(notes(settled)).toContain('--allow-delete');

    const without = { ...caps, types: new Set(['A', 'MX', 'TXT'] as const) };
    const cannot = plan([ourMx], { ...feature(undefined, undefined), caps: without });
    expect(ofTlsa(cannot)).toEqual([]);
    expect(notes(cannot)).toContain('The provider has no TLSA records');
  });

  test('R16: a new policy changes the id of our own _mta-sts', () => {
    const served = { features: { mtaSts: { policyText: 'two', served: true } } };
    const old = txt('_mta-sts.example.org', 'v=STSv1; id=1', ours('mta-sts'));
    const records = [live(domainName, { type: 'MX', preference: 10, exchange: hostName }), old];
    expect(change(plan(records, { domain: served }), 'mta-sts')).toMatchObject({
      op: 'update',
      before: { id: old.id },
    });
    const foreign = records.map((record) => ({ ...record, mark: undefined }));
    expect(roles(plan(foreign, { domain: served, consents: allConsents }))).not.toContain('mta-sts');
    // Where there are no marks, the lock file knows it.
    const unmarked = {
      domain: { ...served, pinned: { mtaSts: '1' } },
      caps: { ...caps, marks: 'none' as const },
    };
    expect(change(plan(foreign, unmarked), 'mta-sts')).toMatchObject({ op: 'update' });
    const another = { ...unmarked, domain: { ...served, pinned: { mtaSts: '2' } } };
    expect(roles(plan(foreign, another))).not.toContain('mta-sts');
  });

  test('R22: our records carry the mark; a comment of the user is never overwritten', () => {
    const done = plan([]);
    for (const { mark, role } of done.changes) expect(mark).toBe(`smtp-setup/1 abc123 ${role}`);
    expect(
      plan([], { caps: { ...caps, marks: 'none' } }).changes.every(({ mark }) => mark === undefined),
    ).toBe(true);
    const edited = plan([txt(domainName, 'v=spf1 mx -all', { mark: 'from Bob' })], { consents: allConsents });
    expect(change(edited, 'spf')).toMatchObject({ op: 'update' });
    expect(change(edited, 'spf')?.mark).toBeUndefined();
  });

  test('R22: a mark is no licence: without the consent to delete nothing goes', () => {
    const stale = live(
      '_25._tcp.mail.example.org',
      { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'ff' },
      ours('tlsa'),
    );
    const feature = {
      host: { features: { tlsa: { zoneSigned: true, renewalsReuseKey: true, digests: ['aa'] } } },
    };
    expect(plan([stale], feature).changes.some(({ op }) => op === 'delete')).toBe(false);
    const otherInstall = { ...stale, mark: 'smtp-setup/1 another tlsa' };
    expect(codes(plan([otherInstall], { ...feature, consents: allConsents }))).toContain('E_TLSA_FOREIGN');
  });
});

describe('our own records, spoilt by hand, are put right', () => {
  const spoilt = (role: string, name: string, text: string) => {
    const done = plan([txt(name, text, ours(role))]);
    expect(codes(done)).toEqual([]);
    return change(done, role);
  };

  test('SPF that every receiver would refuse', () => {
    // What cannot be read may have named other senders.
    const broken = 'v=spf1 a:mail.example.org -al';
    expect(textOf(spoilt('spf', domainName, broken)?.after?.data)).toBe('v=spf1 a:mail.example.org ~all');
    const pinned = { pinned: { spf: 'v=spf1 a:mail.example.org -all' } };
    const restored = plan([txt(domainName, broken, ours('spf'))], { domain: pinned });
    expect(textOf(change(restored, 'spf')?.after?.data)).toBe(pinned.pinned.spf);
    expect(textOf(spoilt('spf', domainName, 'v=spf1 -all')?.after?.data)).toBe(
      'v=spf1 a:mail.example.org -all',
    );
    expect(codes(plan([txt(domainName, 'v=spf1 a:mail.example.org -al')]))).toEqual(['E_SPF_PERMERROR']);
  });

  test('a DKIM record that no longer holds the key of the server', () => {
    const name = 's202611._domainkey.example.org';
    expect(textOf(spoilt('dkim', name, 'v=DKIM1; k=rsa; p=AAAA')?.after?.data)).toBe(
      `v=DKIM1; k=rsa; p=${key}`,
    );
    const unknownKey = plan([txt(name, 'v=DKIM1; p=AAAA', ours('dkim'))], {
      domain: { dkim: [{ selector: 's202611' }] },
    });
    expect(codes(unknownKey)).toEqual(['E_DKIM_SELECTOR_TAKEN']);
  });

  test('DMARC without effect; one that merely says something else stays', () => {
    expect(textOf(spoilt('dmarc', '_dmarc.example.org', 'v=DMARC1; p=quarantin')?.after?.data)).toContain(
      'p=quarantine',
    );
    expect(spoilt('dmarc', '_dmarc.example.org', 'v=DMARC1; p=reject')).toBeUndefined();
  });

  test('the address of the host, but never the MX: that is decided by where it leads', () => {
    const moved = live(hostName, { type: 'A', address: '192.0.2.9' }, ours('a'));
    expect(change(plan([moved]), 'a')).toMatchObject({ op: 'update', after: { data: { address: ipv4 } } });
    const movedMx = live(domainName, { type: 'MX', preference: 10, exchange: 'other.example' }, ours('mx'));
    expect(codes(plan([movedMx]))).toEqual(['E_MX_FOREIGN']);
  });
});

describe('the plan as data', () => {
  test('what becomes known is filled in; the rest stays pending', () => {
    const done = plan([], { domain: { dkim: [{ selector: 'a' }, { selector: 'b' }] } });
    const filled = fillPending(done.changes, {
      'a._domainkey.example.org': { type: 'TXT', text: 'v=DKIM1; p=x' },
    });
    const dkim = filled.filter(({ role }) => role === 'dkim');
    expect(dkim.map(({ pending }) => pending !== undefined)).toEqual([false, true]);
    expect(textOf(dkim[0]?.after?.data)).toBe('v=DKIM1; p=x');
    expect(filled.filter(({ role }) => role !== 'dkim')).toEqual(
      done.changes.filter(({ role }) => role !== 'dkim'),
    );
  });

  test('the zone after the plan shows the merged texts', () => {
    const records = [txt(domainName, 'v=spf1 mx ~all')];
    const result = zoneAfter(plan(records, { consents: allConsents }), records);
    expect(result.map(({ data }) => textOf(data))).toContain('v=spf1 mx a:mail.example.org ~all');
    expect(result.map(({ data }) => textOf(data))).not.toContain('v=spf1 mx ~all');
  });

  test('ids are stable and unique, and a plan survives JSON', () => {
    const done = plan([mx('a.example', 1), mx('b.example', 2)], { consents: allConsents });
    const ids = done.changes.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('mx:example.org:MX');
    expect(JSON.parse(JSON.stringify(done.changes))).toEqual(done.changes);
  });
});

describe('R1: a zone below another one', () => {
  const input = {
    hosts: [host],
    domains: [domainName, `shop.${domainName}`].map((name) => ({ ...domain, name, otherSenders: false })),
  };
  const desired = desiredRecords(input);
  const zones = [domainName, `shop.${domainName}`];
  const planOf = (name: string, live: readonly LiveRecord[]) =>
    planZone({
      ...{ zone: { ...zone, name }, live, input, caps, installId, privateNetwork: true },
      desired: recordsOfZone(desired, name, zones),
      consents: { update: false, delete: false },
    });

  test('holds all that is below it, and nothing of it goes into the other one', () => {
    const delegation: LiveRecord = {
      ...{ id: 'ns', name: `shop.${domainName}`, ttl: 3600 },
      data: { type: 'NS', target: 'ns.example.net' },
    };
    const [parent, child] = [planOf(domainName, [delegation]), planOf(`shop.${domainName}`, [])];
    expect([...parent.conflicts, ...child.conflicts]).toEqual([]);
    const names = ({ changes }: ZonePlan) => changes.map(({ after }) => after?.name ?? '');
    expect(names(parent).filter((name) => name.includes('shop'))).toEqual([]);
    expect(names(child)).toContain(`shop.${domainName}`);
    expect(parent.changes.length + child.changes.length).toBe(desired.length);
  });

  test('takes the records of the other one when it is not there to write to', () => {
    expect(recordsOfZone(desired, domainName, [domainName])).toEqual(desired);
  });
});
