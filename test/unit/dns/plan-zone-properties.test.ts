import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ownRoleOf } from '../../../src/dns/mark.js';
import type { LiveRecord, RecordData } from '../../../src/dns/record.js';
import { isSpfRecord } from '../../../src/dns/spf/parse.js';
import { bytesToText } from '../../../src/dns/txt.js';
import {
  afterPlan,
  allConsents,
  caps,
  codes,
  domainName,
  hostName,
  installId,
  ipv4,
  ipv6,
  key,
  type PlanOptions,
  plan,
  textOf,
} from './zone-fixture.js';

const names = fc.constantFrom(
  domainName,
  hostName,
  '_dmarc.example.org',
  's202611._domainkey.example.org',
  '_mta-sts.example.org',
  'mta-sts.example.org',
  '_smtp._tls.example.org',
  '_25._tcp.mail.example.org',
  'autoconfig.example.org',
  '*.example.org',
  'www.example.org',
  'sub.example.org',
  '_imaps._tcp.example.org',
  'old._domainkey.example.org',
  '*.mail.example.org',
  'x.y.z.example.org',
);
const texts = fc.oneof(
  fc.constantFrom(
    'v=spf1 -all',
    'v=spf1 mx ~all',
    'v=spf1 include:x.example ~all',
    `v=spf1 ip4:${ipv4} -all`,
    'v=spf1 redirect=x.example',
    'V=SPF1 A:mail.example.org ?all',
    'v=spf1 bad:term',
    'v=DMARC1; p=none',
    'v=DMARC1;p=reject;rua=mailto:x@example.org',
    'v=STSv1; id=1',
    'v=TLSRPTv1; rua=mailto:x@y.example',
    `v=DKIM1; k=rsa; p=${key}`,
    'v=DKIM1; p=',
    'google-site-verification=abc',
    '',
    '"quoted"; semi\\colon',
    'ünïcode 🎉',
  ),
  fc.uint8Array({ maxLength: 700 }).map((bytes) => bytesToText(bytes)),
);
const number = fc.nat({ max: 65_535 });
const targets = fc.constantFrom(hostName, '', 'aspmx.l.google.com', 'MAIL.Example.org.', 'other.example');
const data: fc.Arbitrary<RecordData> = fc.oneof(
  { weight: 6, arbitrary: texts.map((text): RecordData => ({ type: 'TXT', text })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(ipv4, '192.0.2.1').map((address): RecordData => ({ type: 'A', address })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(ipv6, '2001:DB8:0::7', '2001:db8::9')
      .map((address): RecordData => ({ type: 'AAAA', address })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 10, 20), targets)
      .map(([preference, exchange]): RecordData => ({ type: 'MX', preference, exchange })),
  },
  { weight: 1, arbitrary: targets.map((target): RecordData => ({ type: 'CNAME', target })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('letsencrypt.org', ';', 'other.example')
      .map((value): RecordData => ({ type: 'CAA', flags: 0, tag: 'issue', value })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(number, number, number, targets)
      .map(
        ([priority, weight, port, target]): RecordData => ({ type: 'SRV', priority, weight, port, target }),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('aa', 'ff')
      .map((hex): RecordData => ({ type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: hex })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('HTTPS', 'DNAME', 'LOC')
      .map((rrtype): RecordData => ({ type: 'OTHER', rrtype, text: '1 .' })),
  },
);
const record = fc.record({
  name: names,
  ttl: fc.constantFrom(1, 60, 300, 3600, 86_400),
  data,
  mark: fc.constantFrom(
    undefined,
    'a comment of Bob',
    `smtp-setup/1 ${installId} dmarc`,
    `smtp-setup/1 ${installId} tlsa`,
  ),
  proxied: fc.constantFrom(undefined, false, true),
  readOnly: fc.constantFrom(undefined, undefined, undefined, true),
});
const zones = fc
  .array(record, { maxLength: 12 })
  .map((records) => records.map((item, index): LiveRecord => ({ ...item, id: `r${index}` })));

const featureSets: PlanOptions[] = [
  {},
  { domain: { mail: 'send-only' } },
  { host: { ipv6 }, domain: { dmarc: { policy: 'reject', rua: ['x@example.org'] } } },
  { caps: { ...caps, marks: 'none', minTtl: 300 } },
  {
    host: {
      features: {
        caa: { issuer: 'letsencrypt.org' },
        tlsa: { zoneSigned: true, renewalsReuseKey: true, digests: ['aa', 'bb'] },
      },
    },
    domain: {
      features: {
        mtaSts: { policyText: 'p', served: true },
        tlsRpt: { rua: ['mailto:r@example.org'] },
        autoconfig: true,
        srv: { submissions: true, submission: false, imaps: true },
      },
    },
    input: {},
  },
  { domain: { dkim: [{ selector: 's202611' }] } },
];
const options = fc.constantFrom(...featureSets);

describe('whatever the zone holds', () => {
  test('a plan that is applied leaves nothing to plan', () => {
    let applied = 0;
    fc.assert(
      fc.property(zones, options, (records, chosen) => {
        const first = plan(records, { ...chosen, consents: allConsents });
        if (first.conflicts.length > 0) return;
        // What the apply learns is known to the second plan.
        const known = first.changes.some(({ pending }) => pending !== undefined)
          ? plan(records, {
              ...chosen,
              consents: allConsents,
              domain: { ...chosen.domain, dkim: [{ selector: 's202611', publicKey: key }] },
            })
          : first;
        const second = plan(afterPlan(records, known), {
          ...chosen,
          consents: allConsents,
          ...(known === first ? {} : { domain: { dkim: [{ selector: 's202611', publicKey: key }] } }),
        });
        expect(second.changes).toEqual([]);
        expect(codes(second)).toEqual([]);
        applied += 1;
      }),
      { numRuns: 250 },
    );
    expect(applied).toBeGreaterThan(10);
  });

  test('without consents a plan adds, and changes only what carries our mark', () => {
    fc.assert(
      fc.property(zones, options, (records, chosen) => {
        const done = plan(records, chosen);
        for (const { op, before } of done.changes) {
          expect(op).not.toBe('delete');
          if (op === 'update') expect(ownRoleOf(before?.mark, installId)).toBeDefined();
        }
      }),
      { numRuns: 100 },
    );
  });

  test('what no change names is untouched, byte for byte', () => {
    fc.assert(
      fc.property(zones, options, (records, chosen) => {
        const before = JSON.stringify(records);
        const done = plan(records, { ...chosen, consents: allConsents });
        const named = new Set(
          done.changes.flatMap((change) => (change.before?.id === undefined ? [] : [change.before.id])),
        );
        const result = afterPlan(records, done);
        for (const item of records) {
          if (!named.has(item.id ?? '')) expect(result.find(({ id }) => id === item.id)).toEqual(item);
        }
        expect(JSON.stringify(records)).toBe(before);
      }),
      { numRuns: 100 },
    );
  });

  test('the result never has two SPF records, a CNAME beside ours, or an own MX beside an equal foreign one', () => {
    fc.assert(
      fc.property(zones, options, (records, chosen) => {
        const done = plan(records, { ...chosen, consents: allConsents });
        if (done.conflicts.length > 0) return;
        const result = afterPlan(records, done);
        const created = done.changes
          .filter(({ op }) => op === 'create')
          .map((change) => change.after?.name ?? '');
        for (const name of [domainName, hostName]) {
          const spf = result.filter((item) => item.name === name && isSpfRecord(textOf(item.data) ?? ''));
          expect(spf.length).toBeLessThanOrEqual(1);
        }
        for (const name of created) {
          const there = result.filter((item) => item.name === name);
          if (there.some((item) => item.data.type === 'CNAME')) expect(there).toHaveLength(1);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('read-only records are named by no change', () => {
    fc.assert(
      fc.property(zones, options, (records, chosen) => {
        const done = plan(records, { ...chosen, consents: allConsents });
        for (const { before } of done.changes) expect(before?.readOnly).not.toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a zone of 1,000 foreign records of odd shapes', () => {
  const foreign = Array.from({ length: 1000 }, (_, i): LiveRecord => {
    const shapes: (() => Pick<LiveRecord, 'name' | 'data'>)[] = [
      () => ({ name: `*.w${i}.example.org`, data: { type: 'A', address: '192.0.2.1' } }),
      () => ({ name: `c${i}.example.org`, data: { type: 'CNAME', target: 'elsewhere.example.' } }),
      () => ({ name: domainName, data: { type: 'TXT', text: `token${i}="q;\\${'x'.repeat(i % 600)}"` } }),
      () => ({ name: `ü${i}.Example.ORG.`, data: { type: 'TXT', text: `ünïcode 🎉 ${i}` } }),
      () => ({ name: `d${i}.example.org`, data: { type: 'NS', target: `ns${i}.other.example` } }),
      () => ({ name: `s${i}._domainkey.example.org`, data: { type: 'TXT', text: 'v=DKIM1; p=' } }),
      () => ({
        name: `_srv${i}._tcp.example.org`,
        data: { type: 'SRV', priority: 0, weight: 0, port: 0, target: '' },
      }),
      () => ({ name: `h${i}.example.org`, data: { type: 'OTHER', rrtype: 'HTTPS', text: '1 . alpn="h2"' } }),
      () => ({
        name: `m${i}.example.org`,
        data: { type: 'MX', preference: i, exchange: 'MX.Other.example' },
      }),
      () => ({
        name: `b${i}.example.org`,
        data: { type: 'TXT', text: bytesToText(Uint8Array.of(0, 255, i & 255)) },
      }),
    ];
    const shape = shapes[i % shapes.length]?.() ?? { name: domainName, data: { type: 'TXT', text: '' } };
    return {
      id: `f${i}`,
      ttl: 60 + i,
      ...shape,
      ...(i % 7 === 0 ? { mark: `note ${i}`, proxied: i % 2 === 0 } : {}),
    };
  });

  test('they are the same afterwards, our records aside, and a second plan is empty', () => {
    const done = plan(foreign);
    expect(codes(done)).toEqual([]);
    const result = afterPlan(foreign, done);
    expect(result.filter(({ mark }) => ownRoleOf(mark, installId) === undefined)).toEqual(foreign);
    expect(result.length - foreign.length).toBe(done.changes.length);
    expect(plan(result).changes).toEqual([]);
  });
});
