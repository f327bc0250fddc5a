import { Argument, InvalidArgumentError, Option } from 'commander';
import type { ProfileId } from '../../checks/profiles.js';
import type { FailOn } from '../../checks/selection.js';
import type { QuestionKey } from '../../config/questions.js';
import { splitList } from '../../lib/split-list.js';
import { addCommonFlags, type CommonOptions, readCommonFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';

const scopes = ['dns', 'server', 'delivery'] as const;
const profileNames = ['gmail', 'yahoo', 'outlook', 'internet.nl'] as const satisfies readonly ProfileId[];
const failLevels = ['fail', 'warn', 'info'] as const satisfies readonly FailOn[];

export interface CheckOptions extends CommonOptions {
  /** `all` when nothing was named. */
  scope: (typeof scopes)[number] | 'all';
  /** DKIM selectors to look at beside those of the lock file. */
  selectors: readonly string[];
  only?: readonly string[];
  skip?: readonly string[];
  failOn: FailOn;
  unknown?: 'fail' | 'ok';
  profile?: ProfileId;
  /** Also connect to the mail ports: STARTTLS, certificate, DANE. */
  smtp?: boolean;
  /** Where `check delivery` sends a mail, beside its own mailbox. */
  to?: string;
  /** Leave out what needs SSH: logins, block lists. */
  asStranger?: boolean;
  /** Seconds to wait for records that are not yet served, or for the answer of `to`. */
  wait?: number;
  junit?: string;
  html?: string;
}

interface Parsed extends Omit<CheckOptions, 'scope' | 'flags' | 'config' | 'selectors' | 'wait'> {
  selector?: readonly string[];
  wait?: number | true;
}

const keys = ['domain', 'resolver', 'ssh', 'identity', 'hostKey'] as const satisfies readonly QuestionKey[];

/** `check`: proof from outside, for people and for CI. */
export const checkCommand: CommandDefinition<CheckOptions> = {
  examples: [
    'smtp-setup check',
    'smtp-setup check dns',
    'smtp-setup check server',
    'smtp-setup check delivery --to me@example.net',
    'smtp-setup check dns --domain example.org --json',
  ],
  define(program, run) {
    const command = program
      .command('check')
      .summary('prove from outside that everything is as it should be')
      .description(
        'dns: live DNS against the configuration and its lock file; needs neither SSH nor tokens. With --domain alone, any domain. server: the running server, as a stranger and, over SSH, as a user sees it. delivery: a mail out and one in, from and to a mailbox made for it. Left out: all three.',
      )
      .addArgument(new Argument('[what]', 'what to check').choices(scopes));
    command
      .option('--selector <names>', 'DKIM selectors to look at, comma-separated', splitList)
      .option('--only <ids>', 'only these checks or groups, comma-separated', splitList)
      .option('--skip <ids>', 'all but these checks or groups, comma-separated', splitList)
      .addOption(
        new Option('--fail-on <level>', 'mildest result that exits with 1')
          .choices(failLevels)
          .default('fail'),
      )
      .addOption(new Option('--unknown <how>', 'what unknown results count as').choices(['fail', 'ok']))
      .addOption(new Option('--profile <receiver>', 'judge as this receiver does').choices(profileNames))
      .option('--smtp', 'dns: also connect to the mail ports (STARTTLS, certificate, DANE)')
      .option('--to <address>', 'delivery: also send a mail there, and wait for an answer', parseRecipient)
      .option('--as-stranger', 'server: only what can be seen without SSH')
      .option(
        '--wait [time]',
        'wait until the records are visible (default 10m); delivery: for the answer (30s)',
        parseWait,
      )
      .option('--junit <file>', 'also write JUnit XML')
      .option('--html <file>', 'also write a self-contained page');
    addCommonFlags(command, keys).action(
      async (scope: CheckOptions['scope'] | undefined, options: Parsed) => {
        const { selector, only, skip, failOn, unknown, profile, smtp, to, asStranger } = options;
        const { wait, junit, html } = options;
        await run({
          scope: scope ?? 'all',
          ...readCommonFlags({ ...options }, keys),
          selectors: selector ?? [],
          failOn,
          ...(asStranger === true ? { asStranger } : {}),
          ...(to === undefined ? {} : { to }),
          ...(only === undefined ? {} : { only }),
          ...(skip === undefined ? {} : { skip }),
          ...(unknown === undefined ? {} : { unknown }),
          ...(profile === undefined ? {} : { profile }),
          ...(smtp === undefined ? {} : { smtp }),
          ...(wait === undefined ? {} : { wait: wait === true ? 600 : wait }),
          ...(junit === undefined ? {} : { junit }),
          ...(html === undefined ? {} : { html }),
        });
      },
    );
  },
};

/** It goes into SMTP commands and headers: printable ASCII without brackets, spaces or quotes. */
function parseRecipient(text: string): string {
  if (!/^[!#-;=?-~]{1,64}@[A-Za-z0-9.-]{1,253}$/.test(text)) {
    throw new InvalidArgumentError('Give an address such as me@example.net.');
  }
  return text;
}

/** `90`, `90s`, `10m` → seconds. */
function parseWait(text: string): number {
  const match = /^(\d{1,5})(s|m)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Give a time such as 90s or 10m.');
  return Number(match[1]) * (match[2] === 'm' ? 60 : 1);
}
