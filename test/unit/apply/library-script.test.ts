import { expect, it } from 'vitest';
import { libraryScript } from '../../../src/apply/library-script.js';
import { library } from '../../helpers/local-run.js';

const defined = (script: string) =>
  new Set([...script.matchAll(/^([a-z_]+)\(\) \{/gm)].map(([, name]) => name ?? ''));

it('brings every function along that one of its functions calls, after other programs in it, too', () => {
  const texts = new Map([
    ['core.sh', 'STATE=1\nplain() { :; }\n'],
    ['a.sh', "first() {\n  perl <<'PERL'\nsub x {\n}\nPERL\n  second\n}\n"],
    ['b.sh', '# third would be too much\nsecond() { fourth; }\n'],
    ['c.sh', 'third() { :; }\n'],
    ['d.sh', 'fourth() {\n  # third\n  plain\n}\n'],
  ]);
  const script = libraryScript(texts, ['first now', 'exit 0']);
  expect([...defined(script)].sort()).toEqual(['first', 'fourth', 'plain', 'second']);
  expect(script.startsWith('STATE=1\n')).toBe(true);
  expect(script.endsWith('first now\nexit 0\n')).toBe(true);
});

it.each([
  ['check_login_begin', ['accounts_do', 'accounts_known', 'unit_active', 'short_text', 'problem']],
  ['rspamd_sign_sample', ['milter_says']],
  ['relay_try', []],
])('%s can be asked for alone', (name, needed) => {
  const found = defined(libraryScript(library, [name]));
  for (const fn of [name, ...needed]) expect(found).toContain(fn);
});
