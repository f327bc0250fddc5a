import { expect, it } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';
import type { ServerModel } from '../../../src/components/model.js';
import { createPostfix } from '../../../src/components/postfix.js';
import { createRenderer } from '../../../src/components/render.js';
import { releases } from '../../golden/server/releases.js';

const render = createRenderer(await loadTemplates());
const [base] = Object.values(releases);
if (base === undefined) throw new Error('no release');
const main = (model: ServerModel): string =>
  createPostfix(render)
    .files(model)
    .find(({ path }) => path.endsWith('/main.cf'))?.content ?? '';
const strangers = (model: ServerModel) =>
  createPostfix(render)
    .probe(model)
    .find(({ fn }) => fn === 'postfix_meet_strangers')?.args;
const [first] = base.domains;
if (first === undefined) throw new Error('no domain');

it('refuses unknown recipients, and puts them off while an MX is taken over', () => {
  expect(main(base)).not.toContain('unknown_virtual_mailbox_reject_code');
  expect(strangers(base)).toEqual([first.name]);
  const moving: ServerModel = { ...base, unknownRecipients: 'defer' };
  expect(main(moving)).toContain('\nunknown_virtual_mailbox_reject_code = 450\n');
  expect(strangers(moving)).toEqual([first.name, '450']);
});

it('takes no mail for a domain that only sends, so that its own users reach the real mailboxes', () => {
  const other = { ...first, name: 'other.example' };
  const both: ServerModel = { ...base, domains: [{ ...first, receives: false }, other] };
  expect(main(both)).toContain('virtual_mailbox_domains = other.example\n');
  expect(strangers(both)).toEqual(['other.example']);
  const only: ServerModel = { ...base, domains: [{ ...first, receives: false }] };
  expect(main(only)).toMatch(/^virtual_mailbox_domains = ?$/m);
  expect(strangers(only)).toEqual([]);
});
