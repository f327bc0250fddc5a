import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ancestorsWithin,
  canonicalData,
  canonicalName,
  compareRecords,
  dataKey,
  formatRecord,
  isWithin,
  sameData,
  sameRecord,
  zoneOf,
} from '../../../src/dns/canonical.js';
import type { DnsRecord, RecordData } from '../../../src/dns/record.js';
import { bytesToText, parseTxt, quoteTxt, splitTxt, textToBytes } from '../../../src/dns/txt.js';

const record = (name: string, data: RecordData, ttl = 300): DnsRecord => ({ name, ttl, data });

describe('R2: canonical form before diff', () => {
  test('R2: names are lower-case A-labels without the final dot, underscore labels included', () => {
    expect(canonicalName('Mail.Example.ORG.')).toBe('mail.example.org');
    expect(canonicalName('_DMARC.Bücher.example')).toBe('_dmarc.xn--bcher-kva.example');
    expect(canonicalName('*.Example.org')).toBe('*.example.org');
    expect(canonicalName('.')).toBe('');
    expect(canonicalName('odd label.example')).toBe('odd label.example');
  });

  test('R2: TXT is the concatenation of its character-strings', () => {
    expect(parseTxt('"v=spf1 " "-all"')).toBe('v=spf1 -all');
    expect(parseTxt('"a""b"')).toBe('ab');
    expect(parseTxt('plain; not quoted')).toBe('plain; not quoted');
    expect(parseTxt('"semi\\; \\"quote\\" back\\\\slash \\195\\164"')).toBe('semi; "quote" back\\slash ä');
    expect(parseTxt('"unclosed')).toBe('"unclosed');
    expect(parseTxt('""')).toBe('');
  });

  test('R2: IPv6 is compared in its compressed spelling', () => {
    expect(canonicalData({ type: 'AAAA', address: '2001:0DB8:0:0:0:0:0:0001' })).toEqual({
      type: 'AAAA',
      address: '2001:db8::1',
    });
    expect(
      sameData({ type: 'AAAA', address: '::ffff:192.0.2.1' }, { type: 'AAAA', address: '::ffff:c000:201' }),
    ).toBe(true);
  });

  test('R2: MX, SRV, CAA and TLSA are compared field by field', () => {
    expect(
      sameData(
        { type: 'MX', preference: 10, exchange: 'A.example.' },
        { type: 'MX', preference: 10, exchange: 'a.example' },
      ),
    ).toBe(true);
    expect(
      sameData({ type: 'MX', preference: 10, exchange: 'a' }, { type: 'MX', preference: 20, exchange: 'a' }),
    ).toBe(false);
    expect(
      sameData(
        { type: 'CAA', flags: 0, tag: 'ISSUE', value: 'ca' },
        { type: 'CAA', flags: 0, tag: 'issue', value: 'ca' },
      ),
    ).toBe(true);
    expect(
      sameData(
        { type: 'CAA', flags: 0, tag: 'issue', value: 'CA' },
        { type: 'CAA', flags: 0, tag: 'issue', value: 'ca' },
      ),
    ).toBe(false);
    expect(
      sameData(
        { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'AB CD' },
        { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'abcd' },
      ),
    ).toBe(true);
  });

  test('R2: the TTL is no part of a meaning, the case of a TXT is', () => {
    const text: RecordData = { type: 'TXT', text: 'Token' };
    expect(sameRecord(record('a.example', text, 60), record('A.example.', text, 3600))).toBe(true);
    expect(sameData(text, { type: 'TXT', text: 'token' })).toBe(false);
  });

  test('R2: what makes no sense is kept, not thrown at', () => {
    for (const data of [
      { type: 'A', address: '1.2.3' },
      { type: 'AAAA', address: '1:2:3::4::5' },
      { type: 'OTHER', rrtype: 'https', text: ' 1 . ' },
    ] satisfies RecordData[]) {
      expect(() => dataKey(data)).not.toThrow();
    }
    expect(canonicalData({ type: 'A', address: ' 1.2.3 ' })).toEqual({ type: 'A', address: '1.2.3' });
  });

  test('R2: key order of the data object does not matter', () => {
    expect(dataKey({ exchange: 'a', type: 'MX', preference: 1 } as RecordData)).toBe(
      dataKey({ type: 'MX', preference: 1, exchange: 'a' }),
    );
  });
});

describe('TXT bytes', () => {
  test('every byte string survives the way through text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect([...textToBytes(bytesToText(bytes))]).toEqual([...bytes]);
      }),
    );
  });

  test('every text survives the presentation form', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const text = bytesToText(bytes);
        expect(parseTxt(quoteTxt(text))).toBe(text);
      }),
    );
  });

  test('R10: pieces are at most 255 bytes, not characters', () => {
    const pieces = splitTxt('ä'.repeat(300));
    expect(pieces.map((piece) => piece.length)).toEqual([255, 255, 90]);
    expect(splitTxt('').map((piece) => piece.length)).toEqual([0]);
    expect(quoteTxt('x'.repeat(256))).toBe(`"${'x'.repeat(255)}" "x"`);
  });
});

describe('display', () => {
  test('the line is a zone-file line', () => {
    expect(formatRecord(record('example.org', { type: 'MX', preference: 0, exchange: '' }))).toBe(
      'example.org. 300 IN MX 0 .',
    );
    expect(
      formatRecord(
        record('_25._tcp.m.example', { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'ab' }),
      ),
    ).toBe('_25._tcp.m.example. 300 IN TLSA 3 1 1 ab');
  });

  test('it is printable ASCII whatever the record holds', () => {
    const hostile = '\u001b]0;owned\u0007\u202e\u0085"; rm';
    for (const data of [
      { type: 'TXT', text: hostile },
      { type: 'CNAME', target: hostile },
      { type: 'CAA', flags: 0, tag: hostile, value: hostile },
      { type: 'A', address: hostile },
      { type: 'OTHER', rrtype: hostile, text: hostile },
      { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: hostile },
      { type: 'SRV', priority: 0, weight: 0, port: 0, target: hostile },
    ] satisfies RecordData[]) {
      expect(formatRecord(record(hostile, data))).toMatch(/^[ -~]*$/);
    }
  });
});

describe('order and place', () => {
  test('MX are sorted by number, not by text', () => {
    const set = [10, 5, 2].map((preference) =>
      record('a.example', { type: 'MX', preference, exchange: 'm.example' }),
    );
    expect(set.sort(compareRecords).map(({ data }) => (data.type === 'MX' ? data.preference : 0))).toEqual([
      2, 5, 10,
    ]);
  });

  test('R1: the zone of a name is the longest suffix, by whole labels', () => {
    expect(zoneOf('mail.sub.example.org', ['example.org', 'sub.example.org', 'org'])).toBe('sub.example.org');
    expect(zoneOf('notexample.org', ['example.org'])).toBeUndefined();
    expect(isWithin('example.org', 'example.org')).toBe(true);
    expect(ancestorsWithin('a.b.example.org', 'example.org')).toEqual([
      'a.b.example.org',
      'b.example.org',
      'example.org',
    ]);
    expect(ancestorsWithin('other.net', 'example.org')).toEqual([]);
  });
});
