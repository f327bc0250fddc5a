import { describe, expect, test } from 'vitest';
import { parseTrustAnchors } from '../../../src/components/trust-anchor.js';

describe('trust anchors', () => {
  test('are read as DS and DNSKEY records, comments and TTLs left out', () => {
    expect(
      parseTrustAnchors(
        '; root\n. 86400 IN DNSKEY 257 3 13 nL1F4yXf LS9cKa0b== ; key\n\ntest.\tDS 1 13 2 0aFF\r\n',
      ),
    ).toEqual(['. IN DNSKEY 257 3 13 nL1F4yXf LS9cKa0b==', 'test. IN DS 1 13 2 0aFF']);
  });

  test('an empty text is none', () => {
    expect(parseTrustAnchors('')).toEqual([]);
  });

  test.each([
    ['. IN A 192.0.2.1'],
    ['. IN DS 1 13 2 zz'],
    ['. IN DNSKEY 257 3 13 abc" local-zone: "x'],
    ['$INCLUDE /etc/shadow'],
  ])('%s is refused by name', (line) => {
    expect(() => parseTrustAnchors(line)).toThrow(
      expect.objectContaining({
        code: 'E_TRUST_ANCHOR',
        exit: 2,
        evidence: [expect.stringContaining('line: ')],
      }),
    );
  });
});
