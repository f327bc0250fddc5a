import type { QuestionKey } from '../../config/questions.js';
import { addCommonFlags, type CommonOptions, readCommonFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { serverKeys } from './user.js';

export interface StatusOptions extends CommonOptions {
  /** Says nothing but what differs from last time: for cron. */
  changedOnly: boolean;
}

const keys = [...serverKeys, 'resolver'] as const satisfies readonly QuestionKey[];

/** `status`: is everything well, and what is new since last time? */
export const statusCommand: CommandDefinition<StatusOptions> = {
  examples: ['smtp-setup status', 'smtp-setup status --changed-only'],
  define(program, run) {
    const command = program
      .command('status')
      .summary('is everything well, and what is new since last time')
      .description(
        'Judges services by what they do, the certificate as served, disk, queue, updates, and drift of files and DNS.',
      )
      .option(
        '--changed-only',
        'print only what changed since the last status; nothing when nothing did (for cron)',
      );
    addCommonFlags(command, keys).action(async (options: { config?: string; changedOnly?: boolean }) => {
      await run({
        changedOnly: options.changedOnly ?? false,
        ...readCommonFlags({ ...options }, keys),
      });
    });
  },
};
