import { describe, expect, it } from 'vitest';
import { isSpfRecord, parseSpf } from '../../../../src/dns/spf/index.js';

/** Messages of all syntax errors; empty when the record is fine. */
function errorsOf(text: string): string[] {
  const parsed = parseSpf(text);
  return parsed.ok ? [] : parsed.errors.map((error) => `${error.term}: ${error.message}`);
}

describe('isSpfRecord', () => {
  it.each([
    ['v=spf1', true],
    ['v=spf1 -all', true],
    ['V=SpF1 -all', true],
    ['v=spf10 -all', false],
    ['v=spf1-all', false],
    [' v=spf1 -all', false],
    ['v=spf1\t-all', false],
    ['spf2.0/mfrom -all', false],
    ['', false],
  ])('%j is %s (RFC 7208 4.5)', (text, expected) => {
    expect(isSpfRecord(text)).toBe(expected);
  });
});

describe('parseSpf', () => {
  it('keeps every term with its place, so that an edit can keep every other byte', () => {
    const text = 'v=spf1  a:Mail.example.org/24//64 ?include:_spf.example.net redirect=x.example ';
    const parsed = parseSpf(text);
    if (!parsed.ok) throw new Error('should parse');
    expect(parsed.record.terms.map((term) => text.slice(term.start, term.end))).toEqual([
      'a:Mail.example.org/24//64',
      '?include:_spf.example.net',
      'redirect=x.example',
    ]);
    expect(parsed.record.mechanisms[0]).toMatchObject({
      name: 'a',
      qualifier: '+',
      domainSpec: 'Mail.example.org',
      prefix4: 24,
      prefix6: 64,
    });
    expect(parsed.record.mechanisms[1]).toMatchObject({ name: 'include', qualifier: '?' });
    expect(parsed.record.redirect).toMatchObject({ value: 'x.example' });
  });

  it.each([
    'v=spf1',
    'v=spf1 ',
    'v=spf1   -all  ',
    'v=spf1 +A -MX ~PTR ?ALL',
    'v=spf1 a/0 mx//0 a/32//128',
    'v=spf1 a:foo:bar/baz.example.com',
    'v=spf1 a:example.com. -all',
    'v=spf1 a:1.2.3.example -all',
    'v=spf1 a:foo.x-y -all',
    'v=spf1 a:foo.1a -all',
    'v=spf1 a:foo.xn--zckzah -all',
    'v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all',
    'v=spf1 exists:%{L1r-+,/_=}.%{d} -all',
    'v=spf1 exists:%{d} exists:a%% exists:%- exists:%_ -all',
    'v=spf1 exists:x.%{d255}',
    'v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24 ip4:0.0.0.0/0',
    'v=spf1 ip6:2001:db8::1 ip6:::/0 ip6:::1.2.3.4 ip6:::FFFF:1.2.3.4/120',
    'v=spf1 unknown=%{s} moo.cow-far_out=man:dog/cat -all',
    'v=spf1 default=deny default=deny -all',
    'v=spf1 exp=why.%{d} redirect=_spf.example.com',
    'v=spf1 all -all',
  ])('accepts %j', (text) => {
    expect(errorsOf(text)).toEqual([]);
  });

  it.each([
    ['v=spf1 a b c', 'unknown mechanism "b"'],
    ['v=spf1 all:example.org', '"all" takes no argument'],
    ['v=spf1 all/8', '"all" takes no argument'],
    ['v=spf1 -all.', 'unknown mechanism "all."'],
    ['v=spf1 include', 'domain is missing'],
    ['v=spf1 include:', 'domain is missing'],
    ['v=spf1 include/24', '":" expected'],
    ['v=spf1 include:example.com/24', 'does not end in a valid top-level label'],
    ['v=spf1 exists', 'domain is missing'],
    ['v=spf1 exists:', 'domain is missing'],
    ['v=spf1 ptr/24', '":" expected'],
    ['v=spf1 ptr:', 'domain is missing'],
    ['v=spf1 a:', 'domain is missing'],
    ['v=spf1 a:/24', 'domain is missing'],
    ['v=spf1 a:museum', 'single label'],
    ['v=spf1 a:museum.', 'does not end in a valid top-level label'],
    ['v=spf1 a:111.222.33.44', 'does not end in a valid top-level label'],
    ['v=spf1 a:abc.123', 'does not end in a valid top-level label'],
    ['v=spf1 a:example.com:8080', 'does not end in a valid top-level label'],
    ['v=spf1 a:example.-com', 'does not end in a valid top-level label'],
    ['v=spf1 a:example.com-', 'does not end in a valid top-level label'],
    ['v=spf1 a:example.com..', 'does not end in a valid top-level label'],
    ['v=spf1 a/33', 'more than 32'],
    ['v=spf1 a//129', 'more than 128'],
    ['v=spf1 a/', 'not a valid prefix length'],
    ['v=spf1 a/00', 'not a valid prefix length'],
    ['v=spf1 a/024', 'not a valid prefix length'],
    ['v=spf1 a/24/64', 'not a valid prefix length'],
    ['v=spf1 a/24//', 'not a valid prefix length'],
    ['v=spf1 a/-1', 'not a valid prefix length'],
    ['v=spf1 mx:example.com/99999999999999999999', 'does not end in'],
    ['v=spf1 ip4', 'network is missing'],
    ['v=spf1 ip4:', 'not an IPv4 address'],
    ['v=spf1 ip4:192.0.2', 'not an IPv4 address'],
    ['v=spf1 ip4:192.0.2.256', 'not an IPv4 address'],
    ['v=spf1 ip4:192.0.2.01', 'not an IPv4 address'],
    ['v=spf1 ip4:192.0.2.1:25', 'not an IPv4 address'],
    ['v=spf1 ip4:192.0.2.1/33', 'more than 32'],
    ['v=spf1 ip4:192.0.2.1/032', 'not a valid prefix length'],
    ['v=spf1 ip4:192.0.2.1/', 'not a valid prefix length'],
    ['v=spf1 ip4:192.0.2.1//24', 'not a valid prefix length'],
    ['v=spf1 ip4:2001:db8::1', 'not an IPv4 address'],
    ['v=spf1 ip6:192.0.2.1', 'not an IPv6 address'],
    ['v=spf1 ip6:::cafe::babe', 'not an IPv6 address'],
    ['v=spf1 ip6:2001:db8::1%eth0', 'not an IPv6 address'],
    ['v=spf1 ip6:::1/129', 'more than 128'],
    ['v=spf1 ip6', 'network is missing'],
    ['v=spf1 redirect=', 'domain is missing'],
    ['v=spf1 redirect:example.com', 'unknown mechanism "redirect"'],
    ['v=spf1 redirect=example.com/24', 'does not end in'],
    ['v=spf1 redirect=a.example redirect=b.example', 'only once'],
    ['v=spf1 exp=a.example exp=b.example -all', 'only once'],
    ['v=spf1 exp= -all', 'domain is missing'],
    ['v=spf1 =all', 'neither'],
    ['v=spf1 2mod=x', 'neither'],
    ['v=spf1 moo.cow/far_out=man', 'unknown mechanism "moo.cow"'],
    ['v=spf1 ++all', 'neither'],
    ['v=spf1 exists:%(ir).example.org', 'not a valid macro'],
    ['v=spf1 exists:%{x}.example.org', 'not a valid macro'],
    ['v=spf1 exists:%{d', 'not a valid macro'],
    ['v=spf1 exists:%{dr2}.example.org', 'not a valid macro'],
    ['v=spf1 exists:%{d.r}.example.org', 'not a valid macro'],
    ['v=spf1 exists:%{d;}.example.org', 'not a valid macro'],
    ['v=spf1 exists:100%.example.org', 'not a valid macro'],
    ['v=spf1 exists:%{d0}', 'at least 1'],
    ['v=spf1 exists:%{c}.example.org', 'only in explanation text'],
    ['v=spf1 exp=%{t}.example.org', 'only in explanation text'],
    ['v=spf1 foo=%abc', 'not a valid macro'],
    ['v=spf1 exists:%{d}x', 'single label'],
    ['v=spf1 a:mail.example.org\u0000', 'U+0000'],
    ['v=spf1 a:mail.exämple.org', 'U+00E4'],
    ['v=spf1 \u200b-all', 'U+200B'],
    ['v=spf1 a\t-all', 'U+0009'],
    ['v=spf1 constructor toString:x', 'unknown mechanism'],
  ])('refuses %j: %s', (text, message) => {
    expect(errorsOf(text).join('\n')).toContain(message);
  });

  it('reports all errors with the guilty terms', () => {
    expect(errorsOf('v=spf1 ipv4:192.0.2.1 a:mail.example.org ip4:1.2.3 -al')).toEqual([
      'ipv4:192.0.2.1: unknown mechanism "ipv4"',
      'ip4:1.2.3: "1.2.3" is not an IPv4 address',
      '-al: unknown mechanism "al"',
    ]);
  });
});
