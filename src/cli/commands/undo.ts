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

const scopes = ['dns'] as const;

export interface UndoOptions {
  scope: (typeof scopes)[number];
  flags: FlagValues;
  config?: string;
  yes: boolean;
}

const keys = ['hostname', 'resolver'] as const satisfies readonly QuestionKey[];

/** `undo dns`: takes back what was written to the zones and nobody has changed since. */
export const undoCommand: CommandDefinition<UndoOptions> = {
  examples: ['smtp-setup undo dns'],
  define(program, run) {
    const command = program
      .command('undo')
      .summary('take back what was written to DNS')
      .description('Puts the zone back as it was, record by record, where our value still stands.')
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
