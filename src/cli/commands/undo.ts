import { Argument } from 'commander';
import type { QuestionKey } from '../../config/questions.js';
import {
  addConfigFlag,
  addOutputFlags,
  addQuestionFlags,
  addYesFlag,
  type FlagValues,
  readQuestionFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { serverKeys } from './user.js';

const scopes = ['dns', 'server'] as const;

export interface UndoOptions {
  scope: (typeof scopes)[number];
  flags: FlagValues;
  config?: string;
  yes: boolean;
}

const keys = [...serverKeys, 'resolver'] as const satisfies readonly QuestionKey[];

/** `undo`: takes back what was written to the zones, or the files of the last run, where nobody has changed them since. */
export const undoCommand: CommandDefinition<UndoOptions> = {
  examples: ['smtp-setup undo dns', 'smtp-setup undo server'],
  define(program, run) {
    const command = program
      .command('undo')
      .summary('take back what was written: dns, server')
      .description(
        'dns: puts the zone back as it was, record by record, where our value still stands. server: the files that the last run replaced, as they were before it.',
      )
      .addArgument(new Argument('<what>', 'what to take back').choices(scopes));
    addQuestionFlags(command, keys);
    addConfigFlag(command);
    addYesFlag(command);
    addOutputFlags(command).action(
      async (scope: UndoOptions['scope'], options: { config?: string; yes?: boolean }) => {
        await run({
          scope,
          flags: readQuestionFlags({ ...options }, keys),
          ...(options.config === undefined ? {} : { config: options.config }),
          yes: options.yes ?? false,
        });
      },
    );
  },
};
