import { Argument } from 'commander';
import type { QuestionKey } from '../../config/questions.js';
import {
  addConfigFlag,
  addOutputFlags,
  addQuestionFlags,
  type FlagValues,
  readQuestionFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';

const scopes = ['dns'] as const;

export interface CheckOptions {
  scope: (typeof scopes)[number];
  flags: FlagValues;
  config?: string;
}

const keys = ['resolver'] as const satisfies readonly QuestionKey[];

/** `check`: proof from outside, for people and for CI. */
export const checkCommand: CommandDefinition<CheckOptions> = {
  examples: ['smtp-setup check dns', 'smtp-setup check dns --json'],
  define(program, run) {
    const command = program
      .command('check')
      .summary('prove from outside that everything is as it should be')
      .description(
        'Compares live DNS with the configuration and its lock file. Needs neither SSH nor tokens.',
      )
      .addArgument(new Argument('<what>', 'what to check').choices(scopes));
    addQuestionFlags(command, keys);
    addConfigFlag(command);
    addOutputFlags(command).action(async (scope: CheckOptions['scope'], options: { config?: string }) => {
      await run({
        scope,
        flags: readQuestionFlags({ ...options }, keys),
        ...(options.config === undefined ? {} : { config: options.config }),
      });
    });
  },
};
