import {
  addConfigFlag,
  addOutputFlags,
  addQuestionFlags,
  addYesFlag,
  type FlagValues,
  readQuestionFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { connectionKeys } from './plan.js';

export interface UndoOptions {
  /** The apply to take back; the latest when left out. */
  id?: string;
  flags: FlagValues;
  config?: string;
  yes: boolean;
}

/** `undo`: takes back what an apply changed and nobody has changed since. */
export const undoCommand: CommandDefinition<UndoOptions> = {
  examples: ['smtp-setup undo'],
  define(program, run) {
    const command = program
      .command('undo')
      .summary('take back what the last apply changed')
      .description('Restores what an apply replaced, where it still stands as that apply left it.')
      .argument('[id]', 'the apply to take back (default: the latest)');
    addQuestionFlags(command, connectionKeys);
    addConfigFlag(command);
    addYesFlag(command);
    addOutputFlags(command).action(
      async (id: string | undefined, options: { config?: string; yes?: boolean }) => {
        await run({
          ...(id === undefined ? {} : { id }),
          flags: readQuestionFlags({ ...options }, connectionKeys),
          ...(options.config === undefined ? {} : { config: options.config }),
          yes: options.yes ?? false,
        });
      },
    );
  },
};
