import { describe, expect, it } from 'vitest';
import {
  applicableRecord,
  effectivePolicy,
  isDmarcRecord,
  organizationalDomain,
  parseDmarc,
  treeWalkDomains,
  type WalkStep,
} from '../../../../src/dns/dmarc.js';

const read = (text: string) => {
  const record = parseDmarc(text);
  if (!record) throw new Error('not DMARC');
  return record;
};
const problems = (text: string) => read(text).problems.map((problem) => `${problem.kind} ${problem.message}`);
/** Record text or nothing, by domain from the deepest up. */
const walk = (...steps: [string, string?][]): WalkStep[] =>
  steps.map(([domain, text]) => ({ domain, ...(text !== undefined && { record: read(text) }) }));

describe('isDmarcRecord (RFC 9989 4.7)', () => {
  it.each([
    ['v=DMARC1', true],
    ['v=DMARC1;p=none', true],
    ['v = DMARC1 ; p=none', true],
    ['v=dmarc1; p=none', false],
    ['v=DMARC12; p=none', false],
    [' v=DMARC1; p=none', false],
    ['p=none; v=DMARC1', false],
    ['"v=DMARC1; p=none"', false],
  ])('%j is %s', (text, expected) => {
    expect(isDmarcRecord(text)).toBe(expected);
  });
});

describe('parseDmarc', () => {
  it('reads every tag of RFC 9989', () => {
    const text =
      'v=DMARC1; p=reject; sp=Quarantine; np=none; adkim=s; aspf=S; t=y; psd=n; fo=1:d:s; ' +
      'rua=mailto:a@example.org, https://r.example.net/x; ruf=mailto:f@example.org;';
    expect(read(text)).toMatchObject({
      p: 'reject',
      sp: 'quarantine',
      np: 'none',
      adkim: 's',
      aspf: 's',
      testing: true,
      psd: 'n',
      rua: [
        { scheme: 'mailto', domain: 'example.org' },
        { scheme: 'https', domain: 'r.example.net' },
      ],
      effect: 'policy',
      problems: [],
    });
  });
  it('reports the tags that RFC 9989 removed, without calling them errors', () => {
    expect(problems('v=DMARC1; p=none; pct=50; rf=afrf; ri=86400')).toEqual([
      'removed "pct" was removed in RFC 9989',
      'removed "rf" was removed in RFC 9989',
      'removed "ri" was removed in RFC 9989',
    ]);
    expect(read('v=DMARC1; p=none; rua=mailto:a@b.example!10m').rua[0]).toMatchObject({
      text: 'mailto:a@b.example',
      obsoleteSize: '10m',
    });
  });
  it.each([
    ['v=DMARC1; p=monitor', 'syntax p=monitor is not one of none, quarantine, reject'],
    ['v=DMARC1; p=none; adkim=strict', 'syntax adkim=strict is not one of r, s'],
    ['v=DMARC1; p=none; psd=maybe', 'syntax psd=maybe is not one of y, n, u'],
    ['v=DMARC1; p=none; t=yes', 'syntax t=yes is not one of y, n'],
    ['v=DMARC1; p=none; fo=0:1', 'syntax fo=0:1 is not a list of 0 or 1, d, s'],
    ['v=DMARC1; p=none; fo=x', 'syntax fo=x is not a list of 0 or 1, d, s'],
    ['v=DMARC1; p=none; p=reject', 'syntax tag "p" appears twice'],
    ['v=DMARC1; p=none; rua', 'syntax "rua" has no "="'],
    ['v=DMARC1;; p=none', 'syntax two semicolons with nothing between them'],
    ['v=DMARC1; p=none; foo=bar', 'unknown unknown tag "foo" is ignored'],
    ['v=DMARC1; p=none; rua=dmarc@example.org', 'uri rua: "dmarc@example.org" lacks mailto:'],
    ['v=DMARC1; p=none; rua=mailto:dmarc', 'uri rua: "mailto:dmarc" is not a mail address'],
    ['v=DMARC1; p=none; rua=mailto:a@b.example mailto:c@d.example', 'must be encoded'],
  ])('%s: %s', (text, expected) => {
    expect(problems(text).join('\n')).toContain(expected);
  });
  it.each([
    ['v=DMARC1; p=quarantine', 'policy'],
    ['v=DMARC1; rua=mailto:a@example.org', 'none'],
    ['v=DMARC1', 'ignored'],
    ['v=DMARC1; p=bad', 'ignored'],
    ['v=DMARC1; p=reject; sp=bad; rua=mailto:a@example.org', 'none'],
    ['v=DMARC1; p=reject; np=bad', 'ignored'],
    ['v=DMARC1; rua=nonsense', 'ignored'],
  ])('%s has the effect "%s" (4.10.1)', (text, effect) => {
    expect(read(text).effect).toBe(effect);
  });
  it('takes one step off a tested policy', () => {
    expect(effectivePolicy(read('v=DMARC1; p=reject'))).toBe('reject');
    expect(effectivePolicy(read('v=DMARC1; p=reject; t=y'))).toBe('quarantine');
    expect(effectivePolicy(read('v=DMARC1; p=quarantine; t=y'))).toBe('none');
    expect(effectivePolicy(read('v=DMARC1; p=none; t=y'))).toBe('none');
    expect(effectivePolicy(read('v=DMARC1; p=bad; rua=mailto:a@example.org'))).toBe('none');
  });
});

describe('tree walk (RFC 9989 4.10)', () => {
  it('asks eight names at most', () => {
    expect(treeWalkDomains('a.b.c.d.e.f.g.h.i.j.mail.example.com')).toEqual([
      'a.b.c.d.e.f.g.h.i.j.mail.example.com',
      'g.h.i.j.mail.example.com',
      'h.i.j.mail.example.com',
      'i.j.mail.example.com',
      'j.mail.example.com',
      'mail.example.com',
      'example.com',
      'com',
    ]);
    expect(treeWalkDomains('mail.example.com')).toEqual(['mail.example.com', 'example.com', 'com']);
    expect(treeWalkDomains('a.b.c.d.e.f.g.h')).toHaveLength(8);
  });
  it('takes the highest record as the organization', () => {
    const steps = walk(
      ['a.mail.example.com'],
      ['mail.example.com', 'v=DMARC1; p=none'],
      ['example.com', 'v=DMARC1; p=reject; sp=quarantine'],
      ['com'],
    );
    expect(organizationalDomain(steps)).toBe('example.com');
    expect(applicableRecord(steps)).toMatchObject({ domain: 'example.com' });
  });
  it('stops at psd=n, and one below psd=y', () => {
    expect(
      organizationalDomain(
        walk(
          ['a.mail.example.com'],
          ['mail.example.com', 'v=DMARC1; p=none; psd=n'],
          ['example.com', 'v=DMARC1; p=none'],
        ),
      ),
    ).toBe('mail.example.com');
    const suffix = walk(
      ['a.mail.example.com'],
      ['mail.example.com'],
      ['example.com'],
      ['com', 'v=DMARC1; p=reject; psd=y'],
    );
    expect(organizationalDomain(suffix)).toBe('example.com');
    expect(applicableRecord(suffix)).toMatchObject({ domain: 'com' });
    expect(organizationalDomain(walk(['com', 'v=DMARC1; p=reject; psd=y']))).toBe('com');
  });
  it('is the name itself where nothing is found, and the own record always applies', () => {
    expect(organizationalDomain(walk(['a.example.com'], ['example.com'], ['com']))).toBe('a.example.com');
    expect(applicableRecord(walk(['a.example.com'], ['example.com']))).toBeUndefined();
    expect(
      applicableRecord(walk(['a.example.com', 'v=DMARC1; p=none'], ['example.com', 'v=DMARC1; p=reject'])),
    ).toMatchObject({ domain: 'a.example.com' });
  });
});
