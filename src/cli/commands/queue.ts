import type { Command } from 'commander';
import { addCommonFlags, addYesFlag, type ChangeOptions, readChangeFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { serverKeys } from './user.js';

export type QueueAction =
  | { kind: 'list' }
  | { kind: 'show'; id: string }
  /** Without ids: everything that waits. */
  | { kind: 'flush'; ids: readonly string[] }
  | { kind: 'rm' | 'hold' | 'release'; ids: readonly string[]; all: boolean };

export interface QueueOptions extends ChangeOptions {
  action: QueueAction;
}

interface Parsed {
  config?: string;
  yes?: boolean;
  all?: boolean;
}

/** `queue`: mail that waits on the server. */
export const queueCommand: CommandDefinition<QueueOptions> = {
  examples: [
    'smtp-setup queue list',
    'smtp-setup queue show 4Xk2Jq0zGvz1',
    'smtp-setup queue flush',
    'smtp-setup queue hold 4Xk2Jq0zGvz1',
    'smtp-setup queue release --all',
    'smtp-setup queue rm 4Xk2Jq0zGvz1',
  ],
  define(program, run) {
    const queue = program
      .command('queue')
      .summary('mail that waits on the server: list, show, flush, hold, release, rm')
      .description('Mail that waits on the server, and why.');
    const start = (action: QueueAction, options: Parsed): Promise<void> =>
      run({
        action,
        ...readChangeFlags({ ...options }, serverKeys),
      });
    const add = (name: string, summary: string): Command =>
      addCommonFlags(queue.command(name).description(summary), serverKeys);
    add('list', 'show what waits, and why').action((options: Parsed) => start({ kind: 'list' }, options));
    add('show', "show a message's envelope and header, not its text")
      .argument('<id>', 'the queue id')
      .action((id: string, options: Parsed) => start({ kind: 'show', id }, options));
    add('flush', 'try again now')
      .argument('[ids...]', 'only these (default: all)')
      .action((ids: string[], options: Parsed) => start({ kind: 'flush', ids }, options));
    const several = [
      ['hold', 'keep messages back until they are released'],
      ['release', 'let held messages go'],
      ['rm', 'delete messages for good; their senders are not told'],
    ] as const;
    for (const [kind, summary] of several) {
      addYesFlag(add(kind, summary))
        .argument('[ids...]', 'queue ids')
        .option('--all', 'every message in the queue')
        .action((ids: string[], { all, ...options }: Parsed) =>
          start({ kind, ids, all: all ?? false }, options),
        );
    }
  },
};
