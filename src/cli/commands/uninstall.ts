import { Option } from 'commander';
import type { QuestionKey } from '../../config/questions.js';
import { addChangeFlags, type ChangeOptions, readChangeFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { serverKeys } from './user.js';

export interface UninstallOptions extends ChangeOptions {
  /** Only this half. */
  only?: 'server' | 'dns';
  removePackages: boolean;
  discardQueue: boolean;
}

const keys = [...serverKeys, 'resolver'] as const satisfies readonly QuestionKey[];

interface Parsed {
  config?: string;
  yes?: boolean;
  only?: 'server' | 'dns';
  removePackages?: boolean;
  discardQueue?: boolean;
}

/** `uninstall`: server and DNS back to what they were before; the mail stays. */
export const uninstallCommand: CommandDefinition<UninstallOptions> = {
  examples: ['smtp-setup uninstall', 'smtp-setup uninstall --remove-packages'],
  define(program, run) {
    const command = program
      .command('uninstall')
      .summary('take everything back; the mail is kept')
      .description(
        'Takes everything back: the records of ours that still hold our value, then the files and services of the server as they were before. Mail stays in /var/vmail. DKIM records stay for 7 days, for mail that is under way; run it again then.',
      )
      .addOption(new Option('--only <half>', 'only this half').choices(['server', 'dns']))
      .option('--remove-packages', 'remove the packages that came with smtp-setup, too')
      .option('--discard-queue', 'give up mail that still waits to be sent');
    addChangeFlags(command, keys).action(async (options: Parsed) => {
      await run({
        ...(options.only === undefined ? {} : { only: options.only }),
        removePackages: options.removePackages ?? false,
        discardQueue: options.discardQueue ?? false,
        ...readChangeFlags({ ...options }, keys),
      });
    });
  },
};
