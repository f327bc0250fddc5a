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

export interface ApplyOptions {
  flags: FlagValues;
  config?: string;
  yes: boolean;
}

/** `apply`: makes it so; asks once. */
export const applyCommand: CommandDefinition<ApplyOptions> = {
  examples: ['smtp-setup apply', 'smtp-setup apply --yes --json'],
  define(program, run) {
    const command = program
      .command('apply')
      .summary('make server and DNS what the configuration says')
      .description(
        'Shows the plan, asks once, and carries it out. With nothing to change it writes nothing.',
      );
    addQuestionFlags(command, connectionKeys);
    addConfigFlag(command);
    addYesFlag(command);
    addOutputFlags(command).action(async (options: { config?: string; yes?: boolean }) => {
      await run({
        flags: readQuestionFlags({ ...options }, connectionKeys),
        ...(options.config === undefined ? {} : { config: options.config }),
        yes: options.yes ?? false,
      });
    });
  },
};
