import { describe, expect, it } from 'vitest';
import { withAccounts } from '../../../src/plan/plan-mailboxes.js';
import type { RunName, ServerStep } from '../../../src/plan/step.js';

const step = (id: string, after?: readonly string[], run: RunName = 'install'): ServerStep => ({
  ...{ id, run, title: id, reason: '', calls: [] },
  ...(after === undefined ? {} : { after }),
});
const orders = (steps: readonly ServerStep[]) => steps.map(({ id, after }) => [id, after]);

describe('new mailboxes', () => {
  it('come as soon as there is a list, each after the other; what needs the list waits for them', () => {
    const steps = [
      step('packages', []),
      step('files-accounts', ['packages']),
      step('files-nginx', ['packages']),
      step('files-dovecot', ['packages', 'files-accounts']),
      step('files-rspamd', [], 'golive'),
    ];
    expect(orders(withAccounts(steps, [step('ada'), step('bob')]))).toEqual([
      ['packages', []],
      ['files-accounts', ['packages']],
      ['ada', ['packages', 'files-accounts']],
      ['bob', ['packages', 'files-accounts', 'ada']],
      ['files-nginx', ['packages']],
      ['files-dovecot', ['packages', 'files-accounts', 'ada', 'bob']],
      ['files-rspamd', []],
    ]);
  });

  it('wait for everything where the lists are there already', () => {
    const steps = [step('files-dovecot', [])];
    expect(orders(withAccounts(steps, [step('ada')]))).toEqual([
      ['files-dovecot', []],
      ['ada', undefined],
    ]);
  });
});
