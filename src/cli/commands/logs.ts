import { InvalidArgumentError } from 'commander';
import { parsePeriod } from '../../lib/period.js';
import { addCommonFlags, type CommonOptions, readCommonFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { serverKeys } from './user.js';

export interface LogsOptions extends CommonOptions {
  /** Seconds. */
  since: number;
  follow: boolean;
  /** Message id or queue id. */
  messageId?: string;
  from?: string;
  to?: string;
}

interface Parsed extends Partial<Pick<LogsOptions, 'messageId' | 'from' | 'to' | 'config' | 'follow'>> {
  since: number;
}

/** `logs`: each message as a story, through Postfix, Rspamd and Dovecot. */
export const logsCommand: CommandDefinition<LogsOptions> = {
  examples: [
    'smtp-setup logs --to bob@example.net',
    'smtp-setup logs --follow --from @example.org',
    'smtp-setup logs --message-id 1234@example.org --since 7d',
  ],
  define(program, run) {
    const command = program
      .command('logs')
      .summary('what became of a message')
      .description('Tells what became of each message, through Postfix, Rspamd and Dovecot.')
      .option('--follow', 'go on as it happens, until Ctrl-C')
      .option('--message-id <id>', 'only this message: its Message-ID, or its queue id')
      .option('--from <address>', 'only from this sender or login; @domain for all of one')
      .option('--to <address>', 'only to this recipient; @domain for all of one')
      .option('--since <period>', 'how far back: 30m, 12h, 7d', readPeriod, 86_400);
    addCommonFlags(command, serverKeys).action(
      async ({ since, follow, messageId, from, to, ...options }: Parsed) => {
        await run({
          since,
          follow: follow ?? false,
          ...(messageId === undefined ? {} : { messageId: messageId.replace(/^<(.*)>$/, '$1') }),
          ...(from === undefined ? {} : { from }),
          ...(to === undefined ? {} : { to }),
          ...readCommonFlags({ ...options }, serverKeys),
        });
      },
    );
  },
};

/** For `--since`. */
export function readPeriod(text: string): number {
  const seconds = parsePeriod(text);
  if (seconds === undefined) throw new InvalidArgumentError('Give a period such as 30m, 12h or 7d.');
  return seconds;
}
