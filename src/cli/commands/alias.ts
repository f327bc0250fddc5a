import type { Command } from 'commander';
import { addChangeFlags, addCommonFlags, type ChangeOptions, readChangeFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { serverKeys } from './user.js';

export type AliasAction =
  | { kind: 'list' }
  | { kind: 'add' | 'rm'; address: string; targets: readonly string[] };

export interface AliasOptions extends ChangeOptions {
  action: AliasAction;
}

interface Parsed {
  config?: string;
  yes?: boolean;
}

/** `alias`: addresses that lead to mailboxes. */
export const aliasCommand: CommandDefinition<AliasOptions> = {
  examples: [
    'smtp-setup alias add info@example.org ada@example.org bob@example.org',
    'smtp-setup alias add @example.org ada@example.org',
    'smtp-setup alias list',
    'smtp-setup alias rm info@example.org bob@example.org',
    'smtp-setup alias rm info@example.org',
  ],
  define(program, run) {
    const alias = program
      .command('alias')
      .summary('aliases: list, add, rm')
      .description(
        'Addresses that lead to mailboxes. Whoever gets the mail of an alias may also send as it. @domain catches all other mail of a domain.',
      );
    const start = (action: AliasAction, options: Parsed): Promise<void> =>
      run({
        action,
        ...readChangeFlags({ ...options }, serverKeys),
      });
    const add = (name: string, summary: string): Command => {
      const command = alias.command(name).description(summary);
      return name === 'list' ? addCommonFlags(command, serverKeys) : addChangeFlags(command, serverKeys);
    };
    add('list', 'show all aliases').action((options: Parsed) => start({ kind: 'list' }, options));
    add('add', 'lead an address to these targets, beside those it has')
      .argument('<address>', 'the alias; @domain for a catch-all')
      .argument('<targets...>', 'where its mail goes')
      .action((address: string, targets: string[], options: Parsed) =>
        start({ kind: 'add', address, targets }, options),
      );
    add('rm', 'remove an alias, or only some of its targets')
      .argument('<address>', 'the alias')
      .argument('[targets...]', 'only these (default: all)')
      .action((address: string, targets: string[], options: Parsed) =>
        start({ kind: 'rm', address, targets }, options),
      );
  },
};
