import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countSpfLookups, evaluateSpf, parseSpf, type SpfLookup } from '../../../../src/dns/spf/index.js';

const runs = { numRuns: 10_000 };
const word = fc.constantFrom(
  'all',
  'a',
  'mx',
  'ptr',
  'include',
  'exists',
  'ip4',
  'ip6',
  'redirect',
  'exp',
  'foo',
  'A',
  'Ip4',
  '',
);
const qualifier = fc.constantFrom('', '+', '-', '~', '?', '++');
const separator = fc.constantFrom('', ':', '=', '/', '//', ':/', '::');
const value = fc.oneof(
  fc.constantFrom(
    'example.org',
    'a.example.org',
    'mail.example.org.',
    '%{d}',
    '%{ir}.%{v}.%{d2}',
    '%{l1r-}.x.org',
    '%{d0}',
    '%',
    '%%',
    '%{p}',
    '192.0.2.1',
    '192.0.2.0/24',
    '2001:db8::/32',
    '::1',
    '0.0.0.0/0',
    '300.1.1.1',
    'a..b',
    'x'.repeat(300),
  ),
  fc.string({ maxLength: 12 }),
);
const suffix = fc.constantFrom('', '', '/24', '//64', '/24//64', '/33', '/0', '/');
const term = fc.tuple(qualifier, word, separator, value, suffix).map((parts) => parts.join(''));
const sound = fc.constantFrom(
  'a',
  'mx',
  'ptr',
  '?a:x.example.org',
  '-mx:y.example.org/24',
  'include:i.example.org',
  '~include:%{d2}',
  '-all',
  'all',
  'exists:%{ir}.%{v}.%{d}',
  'a:fail.example.org',
  'ip4:192.0.2.0/24',
  'ip6:2001:db8::/48',
  'exp=%{l}.example.org',
  'redirect=r.example.org',
  '?all',
  'x=%{s}',
  'ptr:%{p}',
  'exists:fail.%{o}',
  'a:%{h}//64',
);
const record = fc.oneof(
  fc.array(sound, { maxLength: 12 }).map((terms) => `v=spf1 ${terms.join(' ')}`),
  fc.tuple(fc.array(sound, { maxLength: 6 }), term).map(([terms, odd]) => `v=spf1 ${terms.join(' ')} ${odd}`),
  fc.array(term, { maxLength: 14 }).map((terms) => `v=spf1 ${terms.join(' ')}`),
  fc.string({ unit: 'binary', maxLength: 80 }).map((text) => `v=spf1 ${text}`),
  fc.string({ maxLength: 400 }),
);

/** Every name holds the record under test and addresses that are not the client's. */
const world = (text: string): SpfLookup => {
  return (name, type) => {
    if (name.startsWith('fail')) return { status: 'error', values: [] };
    if (type === 'TXT') return { status: 'ok', values: [text] };
    if (type === 'A') return { status: 'ok', values: ['198.51.100.7'] };
    if (type === 'AAAA') return { status: 'ok', values: ['2001:db8:7::7'] };
    return { status: 'ok', values: ['mail.example.org'] };
  };
};

describe('any record', () => {
  it('parses or is refused, and every term lies where it says', () => {
    fc.assert(
      fc.property(record, (text) => {
        const parsed = parseSpf(text);
        if (!parsed.ok) return parsed.errors.length > 0;
        return parsed.record.terms.every((one) => text.slice(one.start, one.end) === one.raw);
      }),
      runs,
    );
  });

  it('is evaluated in bounded work and passes only where a term really lets the client in', async () => {
    await fc.assert(
      fc.asyncProperty(record, fc.constantFrom('203.0.113.9', '2001:db8:ffff::9'), async (text, ip) => {
        let asked = 0;
        const inner = world(text);
        const lookup: SpfLookup = (name, type) => {
          asked += 1;
          return inner(name, type);
        };
        const result = await evaluateSpf({ ip, helo: 'helo.example.org', sender: 'a-b@example.org', lookup });
        expect(asked).toBeLessThan(200);
        if (result.result !== 'pass') return;
        // No address in this world is the client's: only all, exists or a network that holds both can pass. They share
        // their first 4 bits (IPv4) and 32 bits (IPv6).
        const decided = (result.matched?.term ?? '').replace(/^\+/, '').toLowerCase();
        const near = ip.includes(':')
          ? /^(?:a|mx)(?:[:/].*)?\/\/(?:\d|[12]\d|3[0-2])$|^ip6:2001:db8::\/32$|^ip6:.*\/0$/
          : /^(?:a|mx)(?::.*)?\/[0-4](?:\/\/\d{1,3})?$|^ip4:0\.0\.0\.0\/0$/;
        expect(/^(?:all|exists:.*|include:.*)$/.test(decided) || near.test(decided), decided).toBe(true);
      }),
      runs,
    );
  });

  it('is counted in bounded work', async () => {
    await fc.assert(
      fc.asyncProperty(record, async (text) => {
        const parsed = parseSpf(text);
        if (!parsed.ok) return;
        let asked = 0;
        const inner = world(text);
        await countSpfLookups('example.org', parsed.record, (name, type) => {
          asked += 1;
          return inner(name, type);
        });
        expect(asked).toBeLessThanOrEqual(60);
      }),
      { numRuns: 2000 },
    );
  });

  it('of a hundred thousand characters takes no time to speak of', () => {
    for (const unit of ['a ', '%{d}', '%', '/', '//', ':', 'ip4:1.2.3.4 ', 'a:x.y/24//', '1.'])
      parseSpf(`v=spf1 a:${unit.repeat(100_000 / unit.length)}`);
  });
});
