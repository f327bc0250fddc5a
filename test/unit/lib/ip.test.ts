import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  canonicalIp,
  formatIpv6,
  inNetwork,
  parseIp,
  parseIpv4,
  parseIpv6,
  specialAddressKind,
} from '../../../src/lib/ip.js';

describe('addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:0DB8:0000:0000:0008:0800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('%s is spelt %s', (input, expected) => {
    expect(canonicalIp(input)).toBe(expected);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.1.1.1',
    '1.2.3.4 ',
    '0x1.2.3.4',
    ':::',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '::1.2.3',
    '1.2.3.4::',
    'fe80::1%eth0',
    '[::1]',
    ':1:2:3:4:5:6:7:8',
    'g::',
  ])('%j is no address', (input) => {
    expect(parseIp(input)).toBeUndefined();
  });

  test('agrees with the system on what is an address', () => {
    const v6ish = fc.string({ unit: fc.constantFrom(...'0123abf:::.'), maxLength: 24 });
    const v4ish = fc.string({ unit: fc.constantFrom(...'0129...'), maxLength: 16 });
    fc.assert(
      fc.property(fc.oneof(v6ish, fc.ipV6()), (text) => {
        expect(parseIpv6(text) !== undefined).toBe(isIPv6(text));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.oneof(v4ish, fc.ipV4()), (text) => {
        expect(parseIpv4(text) !== undefined).toBe(isIPv4(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('spelling and parsing are inverse', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }), (bytes) => {
        expect(parseIpv6(formatIpv6(bytes))).toEqual(bytes);
      }),
    );
  });

  test('networks', () => {
    const within = (address: string, network: string, bits: number) =>
      inNetwork(parseIp(address) ?? [], parseIp(network) ?? [], bits);
    expect(within('192.0.2.130', '192.0.2.128', 25)).toBe(true);
    expect(within('192.0.2.127', '192.0.2.128', 25)).toBe(false);
    expect(within('192.0.2.1', '0.0.0.0', 0)).toBe(true);
    expect(within('192.0.2.1', '::', 0)).toBe(false);
    expect(within('192.0.2.1', '192.0.2.1', 33)).toBe(false);
  });
});

describe('A6, A7: which addresses are not of the public Internet', () => {
  test.each([
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'carrier-grade NAT'],
    ['127.0.0.1', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['198.51.100.1', 'documentation'],
    ['0.0.0.0', 'unspecified'],
    ['255.255.255.255', 'reserved'],
    ['::1', 'loopback'],
    ['::ffff:10.0.0.1', 'IPv4-mapped'],
    ['fd00::1', 'private'],
    ['fe80::1', 'link-local'],
    ['2001:db8::1', 'documentation'],
    ['ff02::1', 'multicast'],
    ['nonsense', 'no address'],
  ])('A7: %s is %s', (address, kind) => {
    expect(specialAddressKind(address)).toBe(kind);
  });

  test.each(['9.9.9.9', '172.32.0.1', '100.128.0.1', '2620:fe::fe', '192.0.1.1'])(
    'A7: %s is public',
    (address) => {
      expect(specialAddressKind(address)).toBeUndefined();
    },
  );
});
