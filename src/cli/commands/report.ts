import { addCommonFlags, type CommonOptions, readCommonFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { readPeriod } from './logs.js';
import { serverKeys } from './user.js';

export interface ReportOptions extends CommonOptions {
  /** Seconds. */
  since: number;
  /** Only mail from and to this domain. */
  domain?: string;
}

interface Parsed {
  since: number;
  domain?: string;
  config?: string;
}

/** `report`: what was delivered, what was not, and what to do about it. */
export const reportCommand: CommandDefinition<ReportOptions> = {
  examples: [
    'smtp-setup report --since 30d',
    'smtp-setup report --domain example.org',
    'smtp-setup report --json',
  ],
  define(program, run) {
    const command = program
      .command('report')
      .summary('delivered, deferred, bounced: how much, where, and why')
      .description("Sums up the server's mail log; explains what other servers answered, and what to do.")
      .option('--since <period>', 'how far back: 12h, 7d, 4w', readPeriod, 7 * 86_400)
      .option('--domain <domain>', 'only mail from and to this domain');
    addCommonFlags(command, serverKeys).action(async ({ since, domain, ...options }: Parsed) => {
      await run({
        since,
        ...(domain === undefined ? {} : { domain }),
        ...readCommonFlags({ ...options }, serverKeys),
      });
    });
  },
};
