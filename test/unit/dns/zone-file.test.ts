import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalRecord, compareRecords } from '../../../src/dns/canonical.js';
import { parseZoneFile } from '../../../src/dns/parse-zone-file.js';
import type { DnsRecord, RecordData } from '../../../src/dns/record.js';
import { bytesToText } from '../../../src/dns/txt.js';
import { renderPasteForm, renderZoneFile, toPasteRows } from '../../../src/dns/zone-file.js';
import { afterPlan, domain, ipv6, plan } from './zone-fixture.js';

const golden = (name: string) => `../../golden/dns/${name}`;

const fresh = afterPlan(
  [],
  plan([], {
    host: { ipv6 },
    domain: { dkim: [{ selector: 's202611', publicKey: 'A'.repeat(392) }, ...domain.dkim.slice(1)] },
  }),
);

describe('zone file', () => {
  test('the default set in BIND form, long keys in strings of at most 255 bytes', async () => {
    const text = renderZoneFile('example.org', fresh);
    await expect(text).toMatchFileSnapshot(golden('default-set.zone'));
    for (const [, piece] of text.matchAll(/"([^"]*)"/g))
      expect((piece ?? '').length).toBeLessThanOrEqual(255);
  });

  test('the same as rows for a web form: one string, relative names', async () => {
    await expect(renderPasteForm('example.org', fresh)).toMatchFileSnapshot(golden('default-set.paste'));
    const dkim = toPasteRows('example.org', fresh).find((row) => row.name === 's202611._domainkey');
    expect(dkim?.value).toBe(`v=DKIM1; k=rsa; p=${'A'.repeat(392)}`);
  });

  test('a value that a terminal could misread is pasted in escaped form', () => {
    const rows = toPasteRows('example.org', [
      { name: 'example.org', ttl: 60, data: { type: 'TXT', text: 'a\u001b[31m' } },
    ]);
    expect(rows[0]?.value).toBe('"a\\027[31m"');
  });

  const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9_-]{0,10}[a-z0-9])?$/);
  const name = fc.array(label, { maxLength: 3 }).map((labels) => [...labels, 'example.org'].join('.'));
  const number = fc.integer({ min: 0, max: 65_535 });
  const text = fc.uint8Array({ maxLength: 520 }).map((bytes) => bytesToText(bytes));
  const data: fc.Arbitrary<RecordData> = fc.oneof(
    fc.ipV4().map((address): RecordData => ({ type: 'A', address })),
    fc.ipV6().map((address): RecordData => ({ type: 'AAAA', address })),
    name.map((target): RecordData => ({ type: 'CNAME', target })),
    fc
      .tuple(number, name)
      .map(([preference, exchange]): RecordData => ({ type: 'MX', preference, exchange })),
    text.map((value): RecordData => ({ type: 'TXT', text: value })),
    fc
      .tuple(number, number, number, name)
      .map(
        ([priority, weight, port, target]): RecordData => ({ type: 'SRV', priority, weight, port, target }),
      ),
    text.map((value): RecordData => ({ type: 'CAA', flags: 128, tag: 'issue', value })),
    fc.constant<RecordData>({ type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'abcdef' }),
    fc.constant<RecordData>({ type: 'OTHER', rrtype: 'HTTPS', text: '1 . alpn="h2,h3"' }),
  );
  const records = fc.array(fc.record({ name, ttl: fc.integer({ min: 0, max: 86_400 }), data }), {
    maxLength: 30,
  });

  test('what is written is read back the same', () => {
    fc.assert(
      fc.property(records, (zone: DnsRecord[]) => {
        const canonical = zone.map(canonicalRecord).sort(compareRecords);
        expect(parseZoneFile(renderZoneFile('example.org', zone), 'example.org')).toEqual(canonical);
      }),
      { numRuns: 200 },
    );
  });

  test('any text is read or refused with a line, never a crash', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'a1 \n\t"\\();$@.INTXMX;'), maxLength: 200 }),
        (source) => {
          try {
            parseZoneFile(source, 'example.org');
          } catch (error) {
            expect(error).toMatchObject({ code: 'E_ZONE_FILE' });
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('directives, relative names, parentheses, comments and TTL units', () => {
    const source = [
      '$ORIGIN example.org.',
      '$TTL 1h',
      '@ IN SOA ns1 hostmaster (',
      '  2026110101 ; serial',
      '  3600 900 604800 300 )',
      '  IN MX 10 mail',
      'mail 300 A 192.0.2.1 ; the host',
      '     IN 1h30m AAAA 2001:DB8::1',
      'long TXT ( "part one, "',
      '           "part two" )',
      '$ORIGIN sub.example.org.',
      'x CNAME mail.example.org.',
      'y CAA 0 issue "ca.example; a=b"',
    ].join('\n');
    const zone = parseZoneFile(source, 'example.org');
    expect(zone.map(({ name: owner, ttl }) => [owner, ttl])).toEqual([
      ['example.org', 3600],
      ['example.org', 3600],
      ['mail.example.org', 300],
      ['mail.example.org', 5400],
      ['long.example.org', 3600],
      ['x.sub.example.org', 3600],
      ['y.sub.example.org', 3600],
    ]);
    expect(zone[1]?.data).toEqual({ type: 'MX', preference: 10, exchange: 'mail.example.org' });
    expect(zone[4]?.data).toEqual({ type: 'TXT', text: 'part one, part two' });
    expect(zone[6]?.data).toEqual({ type: 'CAA', flags: 0, tag: 'issue', value: 'ca.example; a=b' });
  });

  test.each([
    ['a TXT "open', 'line 1'],
    ['a A 192.0.2.1\nb MX ten mail', 'line 2'],
    ['a MX 10', 'line 1'],
    ['$INCLUDE /etc/passwd', 'line 1'],
    ['a TXT ( "x"', 'line 1'],
    ['a IN', 'line 1'],
  ])('refuses %j and names the line', (source, line) => {
    expect(() => parseZoneFile(source, 'example.org')).toThrow(
      expect.objectContaining({ code: 'E_ZONE_FILE', evidence: [expect.stringContaining(line)] }),
    );
  });
});
