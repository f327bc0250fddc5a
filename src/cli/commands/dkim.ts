import type { Command } from 'commander';
import type { QuestionKey } from '../../config/questions.js';
import { addCommonFlags, addYesFlag, type ChangeOptions, readChangeFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { connectionKeys } from './plan.js';

export type DkimAction = { kind: 'list' } | { kind: 'rotate'; domains: readonly string[] };

export interface DkimOptions extends ChangeOptions {
  action: DkimAction;
}

interface Parsed {
  config?: string;
  yes?: boolean;
}

const keys = [...connectionKeys, 'hostname'] as const satisfies readonly QuestionKey[];

/** `dkim`: the keys that sign, and their change. */
export const dkimCommand: CommandDefinition<DkimOptions> = {
  examples: ['smtp-setup dkim rotate example.org', 'smtp-setup dkim list'],
  define(program, run) {
    const dkim = program
      .command('dkim')
      .summary('DKIM keys: list, rotate')
      .description(
        'The keys that sign mail, and their change: published, waited for, used; the old one goes later.',
      );
    const start = (action: DkimAction, options: Parsed): Promise<void> =>
      run({
        action,
        ...readChangeFlags({ ...options }, keys),
      });
    const add = (name: string, summary: string): Command =>
      addCommonFlags(dkim.command(name).description(summary), keys);
    add('list', 'show the keys, what signs, and what every name server shows').action((options: Parsed) =>
      start({ kind: 'list' }, options),
    );
    addYesFlag(add('rotate', 'change the key; run again after 7 days, it takes the old one away'))
      .argument('[domains...]', 'whose (default: the only one)')
      .action((domains: string[], options: Parsed) => start({ kind: 'rotate', domains }, options));
  },
};
