import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSpf } from '../../../src/dns/spf/parse.js';
import { mergeSpf, type SpfMergeInput, spfSizeWarning } from '../../../src/dns/spf-merge.js';
import type { SpfEvaluation } from '../../../src/dns/zone-plan.js';

const address = '198.51.100.7';
const merge = (existing: string[], part: Partial<SpfMergeInput> = {}) =>
  mergeSpf({
    name: 'example.org',
    host: 'mail.example.org',
    addresses: [address],
    fresh: 'v=spf1 a:mail.example.org -all',
    existing,
    ...part,
  });
const evaluated = (result: SpfEvaluation['results'][string], lookups = 2, voids = 0): SpfEvaluation => ({
  lookups,
  voids,
  results: { [address]: result },
});

describe('R5: one SPF record, minimally edited', () => {
  test('R5: none there, one is created', () => {
    expect(merge([])).toEqual({ action: 'create', text: 'v=spf1 a:mail.example.org -all' });
    expect(merge(['google-site-verification=x', 'v=spf10 -all'])).toMatchObject({ action: 'create' });
  });

  test('R5: a record that gives pass stays', () => {
    expect(merge(['v=spf1 include:_spf.example.net ~all'], { evaluation: evaluated('pass') }).action).toBe(
      'keep',
    );
    expect(merge(['v=spf1 a:mail.example.org -all'], { evaluation: evaluated('fail') }).action).toBe('keep');
    expect(merge(['v=spf1 ip4:198.51.100.0/24 -all']).action).toBe('keep');
    expect(merge(['v=spf1 +all']).action).toBe('keep');
  });

  test.each([
    ['v=spf1 include:x.example ~all', 'v=spf1 include:x.example a:mail.example.org ~all'],
    ['V=SPF1  ip4:192.0.2.1   -ALL ', 'V=SPF1  ip4:192.0.2.1   a:mail.example.org -ALL '],
    ['v=spf1 mx redirect=x.example', 'v=spf1 mx a:mail.example.org redirect=x.example'],
    ['v=spf1 redirect=x.example mx', 'v=spf1 a:mail.example.org redirect=x.example mx'],
    ['v=spf1 mx', 'v=spf1 mx a:mail.example.org'],
    ['v=spf1', 'v=spf1 a:mail.example.org'],
    ['v=spf1 -all', 'v=spf1 a:mail.example.org -all'],
    ['v=spf1 ?all exp=e.example', 'v=spf1 a:mail.example.org ?all exp=e.example'],
    // What turns us away, or may, would decide before a term that stands after it.
    ['v=spf1 mx ?a:mail.example.org -all', 'v=spf1 mx a:mail.example.org ?a:mail.example.org -all'],
    ['v=spf1 -ip4:198.51.100.0/24 ~all', 'v=spf1 a:mail.example.org -ip4:198.51.100.0/24 ~all'],
    ['v=spf1 -ip4:192.0.2.0/24 ~all', 'v=spf1 -ip4:192.0.2.0/24 a:mail.example.org ~all'],
    ['v=spf1 -exists:%{i}.x.example ~all', 'v=spf1 a:mail.example.org -exists:%{i}.x.example ~all'],
  ])('R5: %j keeps every other byte and its own `all`', (before, after) => {
    expect(merge([before], { evaluation: evaluated('softfail') })).toMatchObject({
      action: 'edit',
      text: after,
    });
  });

  test('R5: whatever the record, an edit only inserts', () => {
    const term = fc.constantFrom(
      'mx',
      'a',
      'include:x.example',
      'ip4:192.0.2.0/24',
      '~ip4:198.51.100.7',
      'ptr',
      'exists:%{i}.x.example',
      '-all',
      '?all',
      '~all',
      'redirect=y.example',
      'exp=z.example',
      '-include:b.example',
    );
    fc.assert(
      fc.property(fc.array(term, { maxLength: 8 }), fc.boolean(), (terms, known) => {
        const before = ['v=spf1', ...terms].join(' ');
        const result = merge([before], known ? { evaluation: evaluated('fail', 5) } : {});
        if (result.action !== 'edit') return;
        const inserted = `${result.added.join(' ')} `;
        const plain = [
          result.text.replace(inserted, ''),
          result.text.replace(` ${result.added.join(' ')}`, ''),
        ];
        expect(plain).toContain(before);
        expect(parseSpf(result.text).ok).toBe(true);
        // With our term in, a second look changes nothing.
        expect(merge([result.text]).action).toBe('keep');
      }),
      { numRuns: 500 },
    );
  });

  test('R5: two records stop, with the merged text shown', () => {
    const result = merge(['v=spf1 include:x.example ~all', 'v=spf1 ip4:192.0.2.1 -all']);
    expect(result).toMatchObject({
      action: 'conflict',
      code: 'E_SPF_SEVERAL',
      merged: `v=spf1 include:x.example ip4:192.0.2.1 ip4:${address} ~all`,
      evidence: ['v=spf1 include:x.example ~all', 'v=spf1 ip4:192.0.2.1 -all'],
    });
  });

  test('R5: two records with a redirect each become includes', () => {
    expect(merge(['v=spf1 redirect=x.example', 'v=spf1 redirect=y.example'])).toMatchObject({
      merged: `v=spf1 include:x.example include:y.example ip4:${address} ~all`,
    });
    expect(merge(['v=spf1 redirect=x.example', 'v=spf1 mx'])).toMatchObject({
      merged: `v=spf1 mx ip4:${address} redirect=x.example`,
    });
  });

  test('R5: an invalid record stops with the guilty term', () => {
    expect(merge(['v=spf1 ipv4:192.0.2.1 -all'])).toMatchObject({
      action: 'conflict',
      code: 'E_SPF_PERMERROR',
      evidence: expect.arrayContaining([expect.stringContaining('ipv4')]),
    });
    expect(
      merge(['v=spf1 include:x.example -all'], {
        evaluation: { ...evaluated('permerror'), problem: 'no SPF at x' },
      }),
    ).toMatchObject({
      code: 'E_SPF_PERMERROR',
      evidence: expect.arrayContaining(['no SPF at x']),
    });
  });
});

describe('R6: the lookup budget', () => {
  const text = 'v=spf1 include:x.example -all';

  test('R6: near the limit, addresses are added instead of a name', () => {
    expect(merge([text], { evaluation: evaluated('fail', 7) })).toMatchObject({
      added: ['a:mail.example.org'],
    });
    for (const lookups of [8, 9, 10]) {
      expect(merge([text], { evaluation: evaluated('fail', lookups) })).toMatchObject({
        added: [`ip4:${address}`],
      });
    }
  });

  test('R6: lookups that nobody has counted are taken as many', () => {
    expect(merge([text])).toMatchObject({ added: [`ip4:${address}`] });
    expect(merge(['v=spf1 ip4:192.0.2.1 -all'])).toMatchObject({ added: ['a:mail.example.org'] });
    expect(
      merge([text], { evaluation: evaluated('temperror', 8), addresses: [address, '2001:db8::7'] }),
    ).toMatchObject({
      added: [`ip4:${address}`, 'ip6:2001:db8::7'],
    });
  });

  test('R6: more than ten lookups or two voids stop, with the count', () => {
    expect(merge([text], { evaluation: evaluated('pass', 11) })).toMatchObject({
      action: 'conflict',
      evidence: expect.arrayContaining([expect.stringContaining('11 lookups of at most 10')]),
    });
    expect(merge([text], { evaluation: evaluated('pass', 10, 3) })).toMatchObject({ action: 'conflict' });
    expect(merge([text], { evaluation: evaluated('pass', 10, 2) })).toMatchObject({ action: 'keep' });
  });

  test('R10: SPF above 450 bytes is warned about', () => {
    expect(spfSizeWarning(`v=spf1 ${'x'.repeat(443)}`)).toBeUndefined();
    expect(spfSizeWarning(`v=spf1 ${'x'.repeat(444)}`)).toContain('451 bytes');
  });
});

describe('what can be told without DNS', () => {
  test.each([
    ['v=spf1 -ip4:198.51.100.7 a:mail.example.org -all', 'edit'],
    ['v=spf1 -include:x.example a:mail.example.org -all', 'edit'],
    ['v=spf1 include:x.example a:mail.example.org -all', 'keep'],
    ['v=spf1 a:MAIL.example.org -all', 'keep'],
    ['v=spf1 ~a:mail.example.org -all', 'edit'],
    ['v=spf1 a -all', 'edit'],
  ])('%s → %s', (text, action) => {
    expect(merge([text]).action).toBe(action);
  });

  test('at the host name itself, `a` is our term', () => {
    const atHost = { name: 'mail.example.org', fresh: 'v=spf1 a -all' };
    expect(merge(['v=spf1 a -all'], atHost).action).toBe('keep');
    expect(merge(['v=spf1 -all'], atHost)).toMatchObject({ text: 'v=spf1 a -all' });
  });

  test('one uncovered family is enough to need a term', () => {
    expect(merge(['v=spf1 ip4:198.51.100.7 -all'], { addresses: [address, '2001:db8::7'] })).toMatchObject({
      action: 'edit',
    });
  });

  test('a pinned text with an old address is completed before it is created', () => {
    expect(merge([], { fresh: 'v=spf1 include:x.example ip4:192.0.2.9 -all' })).toEqual({
      action: 'create',
      text: `v=spf1 include:x.example ip4:192.0.2.9 ip4:${address} -all`,
    });
  });
});

describe('hosted relays', () => {
  const includes = ['sendgrid.net'];

  test('a fresh record and one that gives pass both get the include', () => {
    expect(merge([], { includes })).toEqual({
      action: 'create',
      text: 'v=spf1 a:mail.example.org include:sendgrid.net -all',
    });
    const own = 'v=spf1 a:mail.example.org -all';
    expect(merge([own], { includes, evaluation: evaluated('pass', 1) })).toMatchObject({
      action: 'edit',
      text: 'v=spf1 a:mail.example.org include:sendgrid.net -all',
      added: ['include:sendgrid.net'],
    });
  });

  test('an include that stands there stays as it is, however it is written', () => {
    for (const text of [
      'v=spf1 a:mail.example.org include:sendgrid.net -all',
      'v=spf1 +include:SendGrid.NET a:mail.example.org ~all',
    ])
      expect(merge([text], { includes, evaluation: evaluated('pass') }).action, text).toBe('keep');
  });

  test('one that only softens or denies does not count', () => {
    const text = 'v=spf1 ?include:sendgrid.net a:mail.example.org -all';
    expect(merge([text], { includes, evaluation: evaluated('pass') })).toMatchObject({
      text: 'v=spf1 ?include:sendgrid.net a:mail.example.org include:sendgrid.net -all',
    });
  });

  test('server and relay join a foreign record together, and nothing else moves', () => {
    expect(
      merge(['v=spf1 include:x.example  ~all'], { includes, evaluation: evaluated('softfail') }),
    ).toMatchObject({
      action: 'edit',
      text: 'v=spf1 include:x.example  a:mail.example.org include:sendgrid.net ~all',
      added: ['a:mail.example.org', 'include:sendgrid.net'],
    });
  });

  test('never over ten lookups, what the include asks itself counted', () => {
    const text = 'v=spf1 a:mail.example.org include:x.example ~all';
    const ask = (lookups: number, cost: number) =>
      merge([text], {
        includes,
        evaluation: evaluated('pass', lookups),
        includeCosts: { 'sendgrid.net': cost },
      });
    expect(ask(7, 3).action).toBe('edit');
    expect(ask(8, 3)).toMatchObject({ action: 'conflict', code: 'E_SPF_LOOKUPS' });
    expect(merge([text], { includes, evaluation: evaluated('pass', 10) })).toMatchObject({
      code: 'E_SPF_LOOKUPS',
    });
  });

  test('goes with its relay, byte for byte what was before', () => {
    const before = 'v=spf1 include:x.example  a:mail.example.org ~all exp=e.example';
    const added = merge([before], { includes, evaluation: evaluated('pass') });
    if (added.action !== 'edit') throw new Error(added.action);
    expect(merge([added.text], { withdrawn: includes, evaluation: evaluated('pass') })).toMatchObject({
      action: 'edit',
      text: before,
      removed: ['include:sendgrid.net'],
      added: [],
    });
  });

  test('one relay for another is one edit; what is wanted again does not go', () => {
    const text = 'v=spf1 a:mail.example.org include:sendgrid.net -all';
    expect(
      merge([text], { includes: ['mailgun.org'], withdrawn: includes, evaluation: evaluated('pass') }),
    ).toMatchObject({
      text: 'v=spf1 a:mail.example.org include:mailgun.org -all',
    });
    expect(merge([text], { includes, withdrawn: includes, evaluation: evaluated('pass') }).action).toBe(
      'keep',
    );
  });
});
