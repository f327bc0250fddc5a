import { Argument } from 'commander';
import type { QuestionKey } from '../../config/questions.js';
import { addChangeFlags, type ChangeOptions, readChangeFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { serverKeys } from './user.js';

const scopes = ['dns', 'server'] as const;

export interface UndoOptions extends ChangeOptions {
  scope: (typeof scopes)[number];
}

const keys = [...serverKeys, 'resolver'] as const satisfies readonly QuestionKey[];

/** `undo`: takes back what was written to the zones, or the files that the last command replaced, where nobody has changed them since. */
export const undoCommand: CommandDefinition<UndoOptions> = {
  examples: ['smtp-setup undo dns', 'smtp-setup undo server'],
  define(program, run) {
    const command = program
      .command('undo')
      .summary('take back what was written: dns, server')
      .description(
        'dns: puts the zone back as it was, record by record, where our value still stands, and gives back reverse names that were set. server: the files that the last command replaced, as they were before it.',
      )
      .addArgument(new Argument('<what>', 'what to take back').choices(scopes));
    addChangeFlags(command, keys).action(async (scope: UndoOptions['scope'], options: object) => {
      await run({
        scope,
        ...readChangeFlags({ ...options }, keys),
      });
    });
  },
};
