import {
  addChangeFlags,
  addConsentFlags,
  addServersFlags,
  type ChangeOptions,
  type ConsentFlags,
  readChangeFlags,
  readConsentFlags,
  readServersFlags,
  type ServersFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { planKeys } from './plan.js';

export interface ApplyOptions extends ServersFlags, ChangeOptions {
  consents: ConsentFlags;
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
    addConsentFlags(command);
    addServersFlags(command);
    addChangeFlags(command, planKeys).action(async (options: object) => {
      await run({
        ...readServersFlags({ ...options }),
        consents: readConsentFlags({ ...options }),
        ...readChangeFlags({ ...options }, planKeys),
      });
    });
  },
};
