import { describe, expect, it } from 'vitest';
import { countSpfLookups, parseSpf, type SpfBudget } from '../../../../src/dns/spf/index.js';
import { lookupOf, type SpfZone } from '../../../helpers/spf-zone.js';

async function count(text: string, zone: SpfZone = {}): Promise<SpfBudget> {
  const parsed = parseSpf(text);
  if (!parsed.ok) throw new Error('the test’s own record is wrong');
  return countSpfLookups('example.com', parsed.record, lookupOf(zone));
}
const terms = (places: readonly { term: string }[]) => places.map((place) => place.term);

describe('countSpfLookups', () => {
  it('counts every term before all, through includes, however short the usual path is', async () => {
    const budget = await count('v=spf1 ip4:192.0.2.1 a include:i.example.com ~all', {
      'example.com A': ['192.0.2.1'],
      'i.example.com TXT': ['v=spf1 mx exists:e.example.com ptr -all'],
      'i.example.com MX': ['m.example.com'],
      'e.example.com A': ['127.0.0.2'],
    });
    expect(terms(budget.lookups)).toEqual([
      'a',
      'include:i.example.com',
      'mx',
      'exists:e.example.com',
      'ptr',
    ]);
    expect(budget.lookups[2]).toMatchObject({
      domain: 'i.example.com',
      path: ['example.com', 'i.example.com'],
    });
    expect(budget.guilty).toBeUndefined();
  });
  it('counts redirect only where no all stands', async () => {
    const zone = { 'r.example.com TXT': ['v=spf1 ptr -all'] };
    expect(terms((await count('v=spf1 redirect=r.example.com', zone)).lookups)).toEqual([
      'redirect=r.example.com',
      'ptr',
    ]);
    expect((await count('v=spf1 redirect=r.example.com -all', zone)).lookups).toEqual([]);
    expect((await count('v=spf1 -all ptr', zone)).lookups).toEqual([]);
  });
  it('names the eleventh term', async () => {
    const text = `v=spf1 ${Array.from({ length: 12 }, (_, index) => `exists:h${index}.example.com`).join(' ')} -all`;
    expect((await count(text)).guilty).toMatchObject({ term: 'exists:h10.example.com' });
  });
  it('counts A and AAAA of one term as one void', async () => {
    const budget = await count('v=spf1 a:gone.example.com a:six.example.com mx -all', {
      'six.example.com AAAA': ['2001:db8::1'],
    });
    expect(terms(budget.voids)).toEqual(['a:gone.example.com', 'mx']);
  });
  it('finds loops, of include and redirect, and stops there', async () => {
    const budget = await count('v=spf1 include:i.example.com -all', {
      'i.example.com TXT': ['v=spf1 redirect=Example.COM'],
    });
    expect(budget.loops).toEqual([
      { domain: 'i.example.com', term: 'redirect=Example.COM', path: ['example.com', 'i.example.com'] },
    ]);
  });
  it('tells targets without a usable record from failing lookups', async () => {
    const budget = await count(
      'v=spf1 include:none.example.com include:two.example.com include:bad.example.com include:dead.example.com -all',
      {
        'two.example.com TXT': ['v=spf1 -all', 'v=spf1 -all'],
        'bad.example.com TXT': ['v=spf1 nonsense'],
        'dead.example.com TXT': 'error',
      },
    );
    expect(budget.broken.map((place) => place.reason)).toEqual([
      'none.example.com has no SPF record',
      'two.example.com has more than one SPF record',
      'the record of bad.example.com has a syntax error',
    ]);
    expect(terms(budget.unknown)).toEqual(['include:dead.example.com']);
  });
  it('marks terms that depend on the mail', async () => {
    expect(
      terms((await count('v=spf1 include:%{l}.example.com exists:%{i}.example.com -all')).dynamic),
    ).toEqual(['include:%{l}.example.com', 'exists:%{i}.example.com']);
  });
  it('finds an mx with more than ten hosts', async () => {
    const hosts = Array.from({ length: 11 }, (_, index) => `h${index}.example.com`);
    expect((await count('v=spf1 mx -all', { 'example.com MX': hosts })).crowded).toMatchObject([
      { term: 'mx', hosts: 11 },
    ]);
  });
  it('cuts off trees without end', async () => {
    const zone: SpfZone = {};
    for (let level = 0; level < 40; level++)
      zone[`l${level}.example.com TXT`] = [
        `v=spf1 include:l${level + 1}.example.com include:l${level + 2}.example.com -all`,
      ];
    const budget = await count('v=spf1 include:l0.example.com -all', zone);
    expect(budget.truncated).toBe(true);
    expect(budget.guilty).toBeDefined();
  });
});
