import {
  addConfigFlag,
  addConsentFlags,
  addOutputFlags,
  addQuestionFlags,
  addServersFlags,
  addYesFlag,
  type ConsentFlags,
  type FlagValues,
  readConsentFlags,
  readQuestionFlags,
  readServersFlags,
  type ServersFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { planKeys } from './plan.js';

export interface ApplyOptions extends ServersFlags {
  consents: ConsentFlags;
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
    addQuestionFlags(command, planKeys);
    addConsentFlags(command);
    addServersFlags(command);
    addConfigFlag(command);
    addYesFlag(command);
    addOutputFlags(command).action(async (options: { config?: string; yes?: boolean }) => {
      await run({
        ...readServersFlags({ ...options }),
        consents: readConsentFlags({ ...options }),
        flags: readQuestionFlags({ ...options }, planKeys),
        ...(options.config === undefined ? {} : { config: options.config }),
        yes: options.yes ?? false,
      });
    });
  },
};
