import { describe, expect, it } from 'vitest';
import { evaluateSpf, type SpfInput, type SpfResult } from '../../src/dns/spf/index.js';
import { expandMacros, parseMacroString } from '../../src/dns/spf/macro.js';
import { createMacroValues } from '../../src/dns/spf/macro-values.js';
import { lookupOf, type SpfZone } from '../helpers/spf-zone.js';

function check(zone: SpfZone, input: Partial<SpfInput> = {}, asked: string[] = []): Promise<SpfResult> {
  return evaluateSpf({
    ip: '192.0.2.3',
    helo: 'mail.example.com',
    sender: 'user@example.com',
    lookup: lookupOf(zone, asked),
    ...input,
  });
}
/** Result for one record of example.com beside the rest of a zone. */
async function resultOf(record: string, rest: SpfZone = {}, input: Partial<SpfInput> = {}): Promise<string> {
  return (await check({ 'example.com TXT': [record], ...rest }, input)).result;
}

describe('macro expansion, examples of RFC 7208 7.4', () => {
  const expand = async (text: string, ip = '192.0.2.3') => {
    const bytes = ip.includes(':')
      ? { version: 6 as const, bytes: v6 }
      : { version: 4 as const, bytes: [192, 0, 2, 3] };
    const parsed = parseMacroString(text, true);
    if (!parsed.ok) throw new Error(parsed.message);
    return expandMacros(
      parsed.tokens,
      createMacroValues({
        ip: bytes,
        sender: { local: 'strong-bad', domain: 'email.example.com' },
        domain: 'email.example.com',
        helo: 'mail.example.org',
        receiver: 'mx.example.net',
        timestamp: 1_700_000_000,
        names: async () => ['mx.example.org'],
      }),
    );
  };
  const v6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xcb, 0x01];
  it.each([
    ['%{s}', 'strong-bad@email.example.com'],
    ['%{o}', 'email.example.com'],
    ['%{d}', 'email.example.com'],
    ['%{d4}', 'email.example.com'],
    ['%{d3}', 'email.example.com'],
    ['%{d2}', 'example.com'],
    ['%{d1}', 'com'],
    ['%{dr}', 'com.example.email'],
    ['%{d2r}', 'example.email'],
    ['%{l}', 'strong-bad'],
    ['%{l-}', 'strong.bad'],
    ['%{lr}', 'strong-bad'],
    ['%{lr-}', 'bad.strong'],
    ['%{l1r-}', 'strong'],
    ['%{ir}.%{v}._spf.%{d2}', '3.2.0.192.in-addr._spf.example.com'],
    ['%{lr-}.lp._spf.%{d2}', 'bad.strong.lp._spf.example.com'],
    ['%{lr-}.lp.%{ir}.%{v}._spf.%{d2}', 'bad.strong.lp.3.2.0.192.in-addr._spf.example.com'],
    ['%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}', '3.2.0.192.in-addr.strong.lp._spf.example.com'],
    ['%{d2}.trusted-domains.example.net', 'example.com.trusted-domains.example.net'],
    ['%{p} %{h} %{c} %{r} %{t}', 'mx.example.org mail.example.org 192.0.2.3 mx.example.net 1700000000'],
    ['%{S} %%%_%-', 'strong-bad%40email.example.com % %20'],
    ['%{D1} %{DR}', 'com com.example.email'],
  ])('%s is %s', async (text, expected) => {
    expect(await expand(text)).toBe(expected);
  });
  it('writes IPv6 addresses as nibbles', async () => {
    expect(await expand('%{ir}.%{v}._spf.%{d2}', '2001:db8::cb01')).toBe(
      '1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com',
    );
    expect(await expand('%{c}', '2001:db8::cb01')).toBe('2001:db8::cb01');
  });
});

describe('simple examples of RFC 7208 appendix A.1', () => {
  const zone: SpfZone = {
    'example.com MX': ['mail-a.example.com', 'mail-b.example.com'],
    'example.com A': ['192.0.2.10', '192.0.2.11'],
    'amy.example.com A': ['192.0.2.65'],
    'bob.example.com A': ['192.0.2.66'],
    'mail-a.example.com A': ['192.0.2.129'],
    'mail-b.example.com A': ['192.0.2.130'],
    'example.org MX': ['mail-c.example.org'],
    'mail-c.example.org A': ['192.0.2.140'],
    '10.2.0.192.in-addr.arpa PTR': ['example.com'],
    '11.2.0.192.in-addr.arpa PTR': ['example.com'],
    '65.2.0.192.in-addr.arpa PTR': ['amy.example.com'],
    '66.2.0.192.in-addr.arpa PTR': ['bob.example.com'],
    '129.2.0.192.in-addr.arpa PTR': ['mail-a.example.com'],
    '130.2.0.192.in-addr.arpa PTR': ['mail-b.example.com'],
    '140.2.0.192.in-addr.arpa PTR': ['mail-c.example.org'],
    '4.0.0.10.in-addr.arpa PTR': ['bob.example.com'],
  };
  it.each([
    ['v=spf1 +all', ['192.0.2.1', '10.0.0.4'], []],
    ['v=spf1 a -all', ['192.0.2.10', '192.0.2.11'], ['192.0.2.12', '192.0.2.65']],
    ['v=spf1 a:example.org -all', [], ['192.0.2.140', '192.0.2.10']],
    ['v=spf1 mx -all', ['192.0.2.129', '192.0.2.130'], ['192.0.2.10', '192.0.2.140']],
    ['v=spf1 mx:example.org -all', ['192.0.2.140'], ['192.0.2.129']],
    ['v=spf1 mx mx:example.org -all', ['192.0.2.129', '192.0.2.130', '192.0.2.140'], ['192.0.2.65']],
    [
      'v=spf1 mx/30 mx:example.org/30 -all',
      ['192.0.2.128', '192.0.2.131', '192.0.2.140', '192.0.2.143'],
      ['192.0.2.132', '192.0.2.144'],
    ],
    ['v=spf1 ptr -all', ['192.0.2.10', '192.0.2.65'], ['192.0.2.140', '10.0.0.4']],
    ['v=spf1 ip4:192.0.2.128/28 -all', ['192.0.2.129', '192.0.2.143'], ['192.0.2.65', '192.0.2.144']],
  ])('%s', async (record, passing, failing) => {
    for (const ip of passing) expect(`${ip} ${await resultOf(record, zone, { ip })}`).toBe(`${ip} pass`);
    for (const ip of failing) expect(`${ip} ${await resultOf(record, zone, { ip })}`).toBe(`${ip} fail`);
  });
});

describe('initial processing (4.3)', () => {
  const policy = { 'example.com TXT': ['v=spf1 -all'] };
  it.each([
    ['a label of 64', `user@${'a'.repeat(64)}.example.com`],
    ['an empty label', 'user@a..example.com'],
    ['a single label', 'user@localhost'],
    ['a domain literal', 'user@[192.0.2.3]'],
    ['no such domain', 'user@nothing.example.net'],
    ['control characters', 'user@exa\u0000mple.com'],
  ])('%s gives none', async (_, sender) => {
    expect((await check(policy, { sender })).result).toBe('none');
  });
  it('asks nobody about an address literal, in MAIL FROM or HELO', async () => {
    const asked: string[] = [];
    expect((await check(policy, { sender: 'user@[192.0.2.3]' }, asked)).result).toBe('none');
    expect((await check(policy, { sender: '', helo: '[192.0.2.3]' }, asked)).result).toBe('none');
    expect(asked).toEqual([]);
  });
  it('accepts a label of 63 and a final dot', async () => {
    const long = `${'a'.repeat(63)}.example.com`;
    expect((await check({ [`${long} TXT`]: ['v=spf1 -all'] }, { sender: `user@${long}` })).result).toBe(
      'fail',
    );
    expect((await check(policy, { sender: 'user@example.com.' })).result).toBe('fail');
  });
  it('checks HELO for bounces and puts postmaster where no local part is (4.3)', async () => {
    const zone = {
      'mail.example.com TXT': ['v=spf1 exists:%{l}.%{o}.check.example.com -all'],
      'postmaster.mail.example.com.check.example.com A': ['127.0.0.2'],
    };
    expect((await check(zone, { sender: '' })).result).toBe('pass');
    expect((await check(zone, { sender: '@mail.example.com' })).result).toBe('pass');
    expect((await check(zone, { sender: 'mail.example.com' })).result).toBe('pass');
    expect((await check(zone, { sender: '', helo: 'localhost' })).result).toBe('none');
  });
  it('refuses what is no address', async () => {
    await expect(check(policy, { ip: 'mail.example.com' })).rejects.toThrow('not an IP address');
  });
});

describe('selecting the record (4.4, 4.5)', () => {
  it('is temperror when the lookup fails, whatever else is known', async () => {
    expect((await check({ 'example.com TXT': 'error' })).result).toBe('temperror');
  });
  it('ignores other TXT, non-ASCII included, and look-alikes', async () => {
    const others = ['google-site-verification=1', 'v=spf10 +all', 'spf2.0/pra +all', '\u00ff\u00fe'];
    expect((await check({ 'example.com TXT': others })).result).toBe('none');
    expect((await check({ 'example.com TXT': [...others, 'v=spf1 -all'] })).result).toBe('fail');
  });
  it('is permerror with two records, even equal ones', async () => {
    expect((await check({ 'example.com TXT': ['v=spf1 +all', 'V=SPF1 +all'] })).result).toBe('permerror');
  });
  it.each([
    ['v=spf1', 'neutral'],
    ['v=spf1 ', 'neutral'],
    ['V=SPF1 ~ALL', 'softfail'],
    ['v=spf1  ip4:192.0.2.3   -all ', 'pass'],
    ['v=spf1 ip4:192.0.2.9 ?all', 'neutral'],
    ['v=spf1 ip4:192.0.2.9', 'neutral'],
  ])('%j gives %s', async (record, expected) => {
    expect(await resultOf(record)).toBe(expected);
  });
});

describe('evaluation (4.6, 5)', () => {
  it('finds a syntax error anywhere before it evaluates anything', async () => {
    expect(await resultOf('v=spf1 +all ip4:192.0.2')).toBe('permerror');
    expect(await resultOf('v=spf1 ip4:192.0.2.3 redirect=x.example.com redirect=x.example.com')).toBe(
      'permerror',
    );
    expect(await resultOf('v=spf1 +all foo=%')).toBe('permerror');
    expect(await resultOf('v=spf1 +all a:\u00e9.example.com')).toBe('permerror');
  });
  it('ignores unknown modifiers, and redirect beside all', async () => {
    expect(await resultOf('v=spf1 foo=bar ip4:192.0.2.3 -all x-y.z=%{s}')).toBe('pass');
    expect(await resultOf('v=spf1 redirect=other.example.com ~all')).toBe('softfail');
  });
  it('treats an IPv4-mapped client as IPv4', async () => {
    expect(await resultOf('v=spf1 ip4:192.0.2.3 -all', {}, { ip: '::ffff:192.0.2.3' })).toBe('pass');
    expect(await resultOf('v=spf1 ip6:::ffff:192.0.2.3 -all', {}, { ip: '::FFFF:C000:203' })).toBe('fail');
    expect(await resultOf('v=spf1 ip6:::/0 -all', {}, { ip: '192.0.2.3' })).toBe('fail');
    expect(await resultOf('v=spf1 ip4:0.0.0.0/0 -all', {}, { ip: '2001:db8::1' })).toBe('fail');
    expect(await resultOf('v=spf1 ip6:2001:DB8::/32 -all', {}, { ip: '2001:db8:ffff::1' })).toBe('pass');
  });
  it('asks A or AAAA by the client, and applies the prefix of that family', async () => {
    const zone = { 'h.example.com A': ['192.0.2.1'], 'h.example.com AAAA': ['2001:db8::1'] };
    const asked: string[] = [];
    const record = { 'example.com TXT': ['v=spf1 a:h.example.com/24//32 -all'], ...zone };
    expect((await check(record, { ip: '192.0.2.200' }, asked)).result).toBe('pass');
    expect((await check(record, { ip: '2001:db8:1::' }, asked)).result).toBe('pass');
    expect(asked.filter((one) => one.startsWith('h.'))).toEqual(['h.example.com A', 'h.example.com AAAA']);
    expect(await resultOf('v=spf1 a:h.example.com//0 -all', zone, { ip: '198.51.100.1' })).toBe('fail');
    expect(await resultOf('v=spf1 a:h.example.com/0 -all', zone, { ip: '198.51.100.1' })).toBe('pass');
    expect(await resultOf('v=spf1 a:gone.example.com/0 -all', zone, { ip: '198.51.100.1' })).toBe('fail');
  });
  it('lets mx have no implicit host, and skips the null MX', async () => {
    expect(await resultOf('v=spf1 mx -all', { 'example.com A': ['192.0.2.3'] })).toBe('fail');
    expect(await resultOf('v=spf1 mx -all', { 'example.com MX': [''] })).toBe('fail');
  });
  it('asks A for exists, also for IPv6 clients; any answer matches', async () => {
    const zone = { 'e.example.com A': ['127.0.0.2'], 'six.example.com AAAA': ['::1'] };
    expect(await resultOf('v=spf1 exists:e.example.com -all', zone, { ip: '2001:db8::1' })).toBe('pass');
    expect(await resultOf('v=spf1 exists:six.example.com -all', zone, { ip: '2001:db8::1' })).toBe('fail');
  });
  it.each(['a', 'mx', 'exists:example.com', 'include:other.example.com'])(
    'is temperror when the lookup of %s fails, unless something matched before',
    async (term) => {
      const zone: SpfZone = {
        'example.com A': 'error',
        'example.com MX': 'error',
        'other.example.com TXT': 'error',
      };
      expect(await resultOf(`v=spf1 ${term} +all`, zone)).toBe('temperror');
      expect(await resultOf(`v=spf1 ip4:192.0.2.3 ${term}`, zone)).toBe('pass');
    },
  );
  it('is temperror when an MX host’s lookup fails before one matches', async () => {
    const zone: SpfZone = {
      'example.com MX': ['a.example.com', 'b.example.com'],
      'a.example.com A': 'error',
      'b.example.com A': ['192.0.2.3'],
    };
    expect(await resultOf('v=spf1 mx +all', zone)).toBe('temperror');
    expect(
      await resultOf('v=spf1 mx +all', { ...zone, 'example.com MX': ['b.example.com', 'a.example.com'] }),
    ).toBe('pass');
  });

  describe('ptr (5.5)', () => {
    const reverse = '3.2.0.192.in-addr.arpa PTR';
    it('needs a validated name at or below the target, compared without case', async () => {
      const zone = { [reverse]: ['Mail.Example.COM'], 'mail.example.com A': ['192.0.2.3'] };
      expect(await resultOf('v=spf1 ptr -all', zone)).toBe('pass');
      expect(await resultOf('v=spf1 ptr:eXample.com -all', zone)).toBe('pass');
      expect(await resultOf('v=spf1 ptr:ample.com -all', zone)).toBe('fail');
      expect(await resultOf('v=spf1 ptr:sub.mail.example.com -all', zone)).toBe('fail');
    });
    it('does not match on DNS errors, and skips names whose lookup fails', async () => {
      expect(await resultOf('v=spf1 ptr -all', { [reverse]: 'error' })).toBe('fail');
      const zone: SpfZone = {
        [reverse]: ['a.example.com', 'b.example.com'],
        'a.example.com A': 'error',
        'b.example.com A': ['192.0.2.3'],
      };
      expect(await resultOf('v=spf1 ptr -all', zone)).toBe('pass');
    });
    it('looks at the first ten names only', async () => {
      const names = Array.from({ length: 11 }, (_, index) => `n${index}.example.com`);
      const zone = (good: number) => ({ [reverse]: names, [`n${good}.example.com A`]: ['192.0.2.3'] });
      expect(await resultOf('v=spf1 ptr -all', zone(9))).toBe('pass');
      expect(await resultOf('v=spf1 ptr -all', zone(10))).toBe('fail');
    });
    it('asks AAAA and ip6.arpa for IPv6 clients', async () => {
      const zone = {
        '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR': ['mail.example.com'],
        'mail.example.com AAAA': ['2001:0db8:0::1'],
      };
      expect(await resultOf('v=spf1 ptr -all', zone, { ip: '2001:db8::1' })).toBe('pass');
    });
  });

  describe('include (5.2)', () => {
    it.each([
      ['v=spf1 +all', 'pass'],
      ['v=spf1 -all', 'softfail'],
      ['v=spf1 ~all', 'softfail'],
      ['v=spf1 ?all', 'softfail'],
      ['v=spf1 nonsense', 'permerror'],
      ['not spf', 'permerror'],
    ])('of %j gives %s', async (included, expected) => {
      expect(await resultOf('v=spf1 include:i.example.com ~all', { 'i.example.com TXT': [included] })).toBe(
        expected,
      );
    });
    it('of a missing, single-label or malformed domain is permerror', async () => {
      expect(await resultOf('v=spf1 include:gone.example.com ~all')).toBe('permerror');
      expect(await resultOf(`v=spf1 include:${'a'.repeat(64)}.example.com ~all`)).toBe('permerror');
      expect(await resultOf('v=spf1 include:%{d1} ~all')).toBe('permerror');
    });
    it('gives the included record its own %{d} and keeps %{o}', async () => {
      const zone = {
        'i.example.com TXT': ['v=spf1 exists:%{d}.%{o}.x.example.com -all'],
        'i.example.com.example.com.x.example.com A': ['127.0.0.2'],
      };
      expect(await resultOf('v=spf1 include:i.example.com -all', zone)).toBe('pass');
    });
    it('carries the qualifier of the include, not of the included term', async () => {
      const zone = { 'i.example.com TXT': ['v=spf1 ip4:192.0.2.3'] };
      expect(await resultOf('v=spf1 ?include:i.example.com -all', zone)).toBe('neutral');
      expect(await resultOf('v=spf1 -include:i.example.com +all', zone)).toBe('fail');
    });
  });

  describe('redirect (6.1)', () => {
    it('takes the whole result of the target', async () => {
      const zone = { 'r.example.com TXT': ['v=spf1 ip4:192.0.2.3 ~all'] };
      expect(await resultOf('v=spf1 redirect=r.example.com', zone)).toBe('pass');
      expect(await resultOf('v=spf1 redirect=r.example.com', zone, { ip: '192.0.2.4' })).toBe('softfail');
      expect(await resultOf('v=spf1 redirect=r.example.com ?ip4:192.0.2.3', zone)).toBe('neutral');
    });
    it('to a domain without a record, or a malformed one, is permerror', async () => {
      expect(await resultOf('v=spf1 redirect=gone.example.com')).toBe('permerror');
      expect(await resultOf('v=spf1 redirect=a..example.com')).toBe('permerror');
    });
  });
});

describe('limits (4.6.4)', () => {
  const hosts = (count: number, term = (index: number) => `a:h${index}.example.com`) =>
    Array.from({ length: count }, (_, index) => term(index)).join(' ');
  const zone: SpfZone = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`h${index}.example.com A`, ['198.51.100.1']]),
  );
  it('allows ten lookups and not eleven', async () => {
    expect(await resultOf(`v=spf1 ${hosts(10)} -all`, zone)).toBe('fail');
    expect(await resultOf(`v=spf1 ${hosts(11)} -all`, zone)).toBe('permerror');
    expect(await resultOf(`v=spf1 ip4:192.0.2.3 ${hosts(11)} -all`, zone)).toBe('pass');
  });
  it('counts over includes and redirects together, and not ip4, ip6, all and exp', async () => {
    const inner = { ...zone, 'i.example.com TXT': [`v=spf1 ${hosts(5)} -all`] };
    expect(await resultOf(`v=spf1 include:i.example.com ${hosts(4)} -all`, inner)).toBe('fail');
    expect(await resultOf(`v=spf1 include:i.example.com ${hosts(5)} -all`, inner)).toBe('permerror');
    expect(await resultOf(`v=spf1 ${hosts(5)} redirect=i.example.com`, inner)).toBe('permerror');
    const free = 'ip4:198.51.100.1 ip6:2001:db8::1 '.repeat(10);
    expect(await resultOf(`v=spf1 ${free}${hosts(10)} exp=why.example.com -all`, zone)).toBe('fail');
  });
  it('ends loops', async () => {
    expect(await resultOf('v=spf1 include:example.com -all')).toBe('permerror');
    expect(await resultOf('v=spf1 redirect=example.com')).toBe('permerror');
    const loop = { 'b.example.com TXT': ['v=spf1 redirect=example.com'] };
    expect(await resultOf('v=spf1 redirect=b.example.com', loop)).toBe('permerror');
  });
  it('allows two void lookups and not three; A and MX without hosts count once a term', async () => {
    expect(await resultOf('v=spf1 a:x.example.com a:y.example.com ~all')).toBe('softfail');
    expect(await resultOf('v=spf1 a:x.example.com mx:y.example.com exists:z.example.com ~all')).toBe(
      'permerror',
    );
    const two = { 'example.com MX': ['a.example.com', 'b.example.com', 'c.example.com'] };
    expect(await resultOf('v=spf1 mx a:x.example.com ~all', two)).toBe('softfail');
  });
  it('counts a ptr without names as void, but no failing lookup', async () => {
    const record = 'v=spf1 ptr ptr:a.example.com ptr:b.example.com ~all';
    expect(await resultOf(record)).toBe('permerror');
    expect(await resultOf(record, { '3.2.0.192.in-addr.arpa PTR': 'error' })).toBe('softfail');
    expect(await resultOf(record, { '3.2.0.192.in-addr.arpa PTR': ['x.example.net'] })).toBe('softfail');
  });
  it('allows ten MX hosts and not eleven', async () => {
    const mx = (count: number) => ({
      ...zone,
      'example.com MX': Array.from({ length: count }, (_, index) => `h${index}.example.com`),
    });
    expect(await resultOf('v=spf1 mx -all', mx(10))).toBe('fail');
    expect(await resultOf('v=spf1 mx -all', mx(11))).toBe('permerror');
  });
});

describe('macros in domain-specs (7)', () => {
  it('strips labels from the left above 253 characters', async () => {
    const label = 'x'.repeat(62);
    const sender = `${label}@example.com`;
    const spec = `%{l}.%{l}.%{l}.%{l}.%{l}.end.example.com`;
    const kept = `${label}.${label}.${label}.end.example.com`;
    const zone: SpfZone = { [`${kept} A`]: ['127.0.0.2'] };
    expect(await resultOf(`v=spf1 exists:${spec} -all`, zone, { sender })).toBe('pass');
  });
  it('does not match names that DNS cannot hold, and asks nothing', async () => {
    const asked: string[] = [];
    const zone = { 'example.com TXT': ['v=spf1 exists:%{l}.example.com a:a..example.com ~all'] };
    expect((await check(zone, { sender: `${'y'.repeat(64)}@example.com` }, asked)).result).toBe('softfail');
    expect(asked).toEqual(['example.com TXT']);
    expect((await check(zone, { sender: 'j\u00fcrgen@example.com' }, asked)).result).toBe('softfail');
  });
  it('uses HELO as it came', async () => {
    const zone = { 'mail.other.example A': ['127.0.0.2'] };
    expect(await resultOf('v=spf1 exists:%{h} -all', zone, { helo: 'mail.other.example' })).toBe('pass');
    expect(await resultOf('v=spf1 exists:%{h} -all', zone, { helo: '[192.0.2.3]' })).toBe('fail');
    expect(await resultOf('v=spf1 exists:%{H} -all', zone, { helo: 'a b' })).toBe('fail');
    expect(await resultOf('v=spf1 exists:%{h} -all', zone, { helo: '' })).toBe('fail');
  });
  it('%{p} prefers the domain, then a name below it, then any; else "unknown"', async () => {
    const explain = { 'why.example.com TXT': ['%{p}'] };
    const explanation = async (zone: SpfZone) =>
      (await check({ 'example.com TXT': ['v=spf1 -all exp=why.example.com'], ...explain, ...zone }))
        .explanation;
    const reverse = '3.2.0.192.in-addr.arpa PTR';
    const valid = (names: readonly string[]): SpfZone => ({
      [reverse]: names,
      ...Object.fromEntries(names.map((name) => [`${name} A`, ['192.0.2.3']])),
    });
    expect(await explanation({})).toBe('unknown');
    expect(await explanation({ [reverse]: 'error' })).toBe('unknown');
    expect(await explanation({ [reverse]: ['mail.example.com'] })).toBe('unknown');
    expect(await explanation(valid(['a.example.net']))).toBe('a.example.net');
    expect(await explanation(valid(['a.example.net', 'mail.example.com']))).toBe('mail.example.com');
    expect(await explanation(valid(['a.example.net', 'm.example.com', 'example.com']))).toBe('example.com');
  });
});

describe('exp (6.2)', () => {
  const explanation = async (zone: SpfZone, input: Partial<SpfInput> = {}) =>
    (await check({ 'example.com TXT': ['v=spf1 exp=why.%{d} -all'], ...zone }, input)).explanation;
  it('expands the text, with the letters that only it may use', async () => {
    const text = 'See http://%{d}/why.html?s=%{S}&i=%{C}&r=%{r}&t=%{t}';
    expect(
      await explanation({ 'why.example.com TXT': [text] }, { receiver: 'mx.example.net', timestamp: 7 }),
    ).toBe('See http://example.com/why.html?s=user%40example.com&i=192.0.2.3&r=mx.example.net&t=7');
    expect(await explanation({ 'why.example.com TXT': ['%{r} %{t}'] })).toBe('unknown 0');
  });
  it.each<[string, SpfZone]>([
    ['no record', {}],
    ['an empty set', { 'why.example.com TXT': [] }],
    ['two records', { 'why.example.com TXT': ['a', 'b'] }],
    ['a failing lookup', { 'why.example.com TXT': 'error' }],
    ['a bad macro', { 'why.example.com TXT': ['100% sure'] }],
    ['bytes that are not ASCII', { 'why.example.com TXT': ['M\u00fcll'] }],
    ['control characters', { 'why.example.com TXT': ['a\u001b[31m'] }],
  ])('there is none with %s, and the result stays', async (_, zone) => {
    const result = await check({ 'example.com TXT': ['v=spf1 exp=why.example.com -all'], ...zone });
    expect(result).toMatchObject({ result: 'fail' });
    expect(result.explanation).toBeUndefined();
  });
  it('takes the reversed IPv6 address apart into nibbles', async () => {
    const zone = { 'why.example.com TXT': ['%{c} is %{ir}.%{v}.arpa'] };
    expect(await explanation(zone, { ip: '2001:db8::cb01' })).toBe(
      '2001:db8::cb01 is 1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6.arpa',
    );
  });
  it('may hold a local part with spaces, and is looked up once, at the end, beyond the void limit', async () => {
    expect(
      await explanation({ 'why.example.com TXT': ['%{l} says no'] }, { sender: 'Two Words@example.com' }),
    ).toBe('Two Words says no');
    const asked: string[] = [];
    const voids = { 'example.com TXT': ['v=spf1 a:x.example.com a:y.example.com exp=z.example.com -all'] };
    expect((await check(voids, {}, asked)).result).toBe('fail');
    expect(asked.filter((one) => one === 'z.example.com TXT')).toHaveLength(1);
  });
  it('comes only with fail', async () => {
    const zone = {
      'example.com TXT': ['v=spf1 exp=why.example.com ~all'],
      'why.example.com TXT': ['no'],
    };
    expect((await check(zone)).explanation).toBeUndefined();
  });
  it('is the target’s after a redirect, and never an included record’s', async () => {
    const why = { 'why.example.com TXT': ['here'], 'why.r.example.com TXT': ['there'] };
    const redirected = {
      'example.com TXT': ['v=spf1 exp=why.example.com redirect=r.example.com'],
      'r.example.com TXT': ['v=spf1 exp=why.%{d} -all'],
      ...why,
    };
    expect((await check(redirected)).explanation).toBe('there');
    const silent = { ...redirected, 'r.example.com TXT': ['v=spf1 -all'] };
    expect((await check(silent)).explanation).toBeUndefined();
    const included = {
      'example.com TXT': ['v=spf1 include:r.example.com exp=why.example.com -all'],
      'r.example.com TXT': ['v=spf1 exp=why.%{d} -all'],
      ...why,
    };
    expect((await check(included)).explanation).toBe('here');
  });
  it('whose own text could not be printed is dropped', async () => {
    const zone = { 'why.example.com TXT': ['%{l}'] };
    expect(await explanation(zone, { sender: 'a\u0007b@example.com' })).toBeUndefined();
  });
});

describe('the result says why', () => {
  it('names the deciding term, the problem and the counts', async () => {
    const passed = await check({ 'example.com TXT': ['v=spf1 a:x.example.com ip4:192.0.2.0/24 -all'] });
    expect(passed).toMatchObject({
      matched: { domain: 'example.com', term: 'ip4:192.0.2.0/24' },
      lookups: 1,
      voids: ['a:x.example.com'],
      trace: [{ term: 'a:x.example.com', outcome: 'no match' }, { outcome: 'match' }],
    });
    const broken = await check({ 'example.com TXT': ['v=spf1 include:gone.example.com'] });
    expect(broken.problem).toBe('include:gone.example.com: gone.example.com has no SPF record');
  });
});
