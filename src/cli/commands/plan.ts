import type { QuestionKey } from '../../config/questions.js';
import {
  addCommonFlags,
  addConsentFlags,
  addServersFlags,
  type CommonOptions,
  type ConsentFlags,
  readCommonFlags,
  readConsentFlags,
  readServersFlags,
  type ServersFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';

export interface PlanOptions extends ServersFlags, CommonOptions {
  consents: ConsentFlags;
  /** Exit with 4 when changes are pending. */
  exitCode: boolean;
}

/** What a run from the configuration may still be told: how to get in, and whom to ask. */
export const connectionKeys = [
  'ssh',
  'identity',
  'hostKey',
  'acmeDirectory',
  'acmeCa',
  'resolver',
  'serverForwarder',
  'trustAnchor',
] as const satisfies readonly QuestionKey[];

/** Where the records go may change from one apply to the next. */
export const planKeys = [...connectionKeys, 'dns'] as const satisfies readonly QuestionKey[];

/** `plan`: what would change, without touching anything. */
export const planCommand: CommandDefinition<PlanOptions> = {
  examples: ['smtp-setup plan', 'smtp-setup plan --exit-code --json'],
  define(program, run) {
    const command = program
      .command('plan')
      .summary('show what would change, on the server and in DNS')
      .description(
        'Reads the server and the zone and shows what apply would change. Writes nothing, anywhere.',
      );
    addConsentFlags(command);
    addServersFlags(command).option('--exit-code', 'exit with 4 when changes are pending');
    addCommonFlags(command, planKeys).action(async (options: { config?: string; exitCode?: boolean }) => {
      await run({
        ...readServersFlags({ ...options }),
        consents: readConsentFlags({ ...options }),
        ...readCommonFlags({ ...options }, planKeys),
        exitCode: options.exitCode ?? false,
      });
    });
  },
};
