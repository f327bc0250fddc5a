import { describe, expect, it } from 'vitest';
import { withAccounts } from '../../../src/plan/plan-mailboxes.js';
import type { RunName, ServerStep } from '../../../src/plan/step.js';

const step = (id: string, after?: readonly string[], run: RunName = 'install'): ServerStep => ({
  ...{ id, run, title: id, reason: '', calls: [] },
  ...(after === undefined ? {} : { after }),
});
const orders = (steps: readonly ServerStep[]) => steps.map(({ id, after }) => [id, after]);

describe('new mailboxes', () => {
  it('wait for Postfix and what it waited for, and for each other; not for the guards', () => {
    const steps = [
      step('files-dovecot', ['packages']),
      step('files-postfix', ['packages', 'files-dovecot']),
      step('files-firewall', ['files-postfix']),
      step('files-rspamd', [], 'golive'),
    ];
    expect(orders(withAccounts(steps, [step('ada'), step('bob')]))).toEqual([
      ['files-dovecot', ['packages']],
      ['files-postfix', ['packages', 'files-dovecot']],
      ['files-firewall', ['files-postfix']],
      ['ada', ['files-postfix', 'packages', 'files-dovecot']],
      ['bob', ['files-postfix', 'packages', 'files-dovecot', 'ada']],
      ['files-rspamd', []],
    ]);
  });

  it('wait for everything where Postfix stays as it is', () => {
    const steps = [step('files-dovecot', [])];
    expect(orders(withAccounts(steps, [step('ada')]))).toEqual([
      ['files-dovecot', []],
      ['ada', undefined],
    ]);
  });
});
