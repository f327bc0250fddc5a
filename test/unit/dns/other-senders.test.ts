import { describe, expect, test } from 'vitest';
import { findOtherSenders } from '../../../src/dns/other-senders.js';
import type { LiveRecord } from '../../../src/dns/record.js';
import { domainName, host, hostName, ipv4, ipv6, live, mx, txt } from './zone-fixture.js';

const found = (...records: LiveRecord[]) => findOtherSenders(domainName, { ...host, ipv6 }, records);

describe('R8, A4: who else sends for the domain', () => {
  test('nobody, in an empty zone and in one that only knows us', () => {
    expect(found()).toEqual([]);
    expect(
      found(
        mx(hostName),
        mx('', 0),
        txt(domainName, `v=spf1 a:Mail.example.org ip4:${ipv4} ip6:${ipv6} mx -all`),
      ),
    ).toEqual([]);
    expect(
      found(
        txt(domainName, 'v=spf1 -all'),
        txt(domainName, 'token'),
        txt('other.example', 'v=spf1 ptr -all'),
      ),
    ).toEqual([]);
    expect(found(txt(domainName, 'v=spf1 -include:x.example -all'))).toEqual([]);
  });

  test('a foreign MX, and then `mx` in SPF too', () => {
    expect(found(mx('aspmx.l.google.com'), txt(domainName, 'v=spf1 mx -all'))).toEqual([
      'MX aspmx.l.google.com',
      'SPF v=spf1 mx -all',
    ]);
  });

  test.each([
    'v=spf1 include:x.example -all',
    'v=spf1 redirect=x.example',
    'v=spf1 a -all',
    'v=spf1 a:web.example -all',
    'v=spf1 mx:other.example -all',
    'v=spf1 ptr ~all',
    'v=spf1 exists:%{i}.x.example -all',
    'v=spf1 ip4:192.0.2.1 -all',
    `v=spf1 ip4:${ipv4}/24 -all`,
    'v=spf1 ip6:2001:db8::/32 -all',
    'v=spf1 ~include:x.example -all',
    'v=spf1 broken:term -all',
  ])('SPF %j', (text) => {
    expect(found(txt(domainName, text))).toEqual([`SPF ${text}`]);
  });

  test('a DKIM selector that is delegated to a vendor', () => {
    const selector = live('k1._domainkey.example.org', { type: 'CNAME', target: 'dkim.vendor.example' });
    expect(found(selector)).toEqual(['DKIM k1._domainkey.example.org → dkim.vendor.example']);
    expect(
      found(live('k1._domainkey.other.example', { type: 'CNAME', target: 'dkim.vendor.example' })),
    ).toEqual([]);
  });
});
