import { type Command, InvalidArgumentError, Option } from 'commander';
import type { QuestionKey } from '../../config/questions.js';
import type { RelayTls } from '../../relay/preset.js';
import {
  addCommonFlags,
  addConsentFlags,
  addOutputFlags,
  addYesFlag,
  type ChangeOptions,
  type ConsentFlags,
  readChangeFlags,
  readConsentFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { connectionKeys } from './plan.js';

export interface RelaySettings {
  provider: string;
  region?: string;
  host?: string;
  port?: number;
  tls?: RelayTls;
  spfInclude?: string;
}

export type RelayAction =
  | { kind: 'list'; provider?: string }
  | { kind: 'set'; of?: string; settings: RelaySettings }
  | { kind: 'show' }
  | { kind: 'test'; of?: string; to?: string }
  | { kind: 'off'; of?: string };

export interface RelayOptions extends ChangeOptions {
  action: RelayAction;
  consents: ConsentFlags;
}

interface Parsed {
  config?: string;
  yes?: boolean;
  domain?: string;
  region?: string;
  host?: string;
  port?: number;
  tls?: RelayTls;
  spfInclude?: string;
  to?: string;
}

const serverKeys = [...connectionKeys, 'hostname'] as const satisfies readonly QuestionKey[];
const setKeys = [...serverKeys, 'relayUser', 'relayPasswordFile'] as const satisfies readonly QuestionKey[];

/** `relay`: sending through a hosted provider. */
export const relayCommand: CommandDefinition<RelayOptions> = {
  examples: [
    'smtp-setup relay list ses',
    'smtp-setup relay set sendgrid --relay-password-file key',
    'smtp-setup relay set custom --host smtp.example.net --port 465 --domain news.example.org',
    'smtp-setup relay show',
    'smtp-setup relay test --to you@example.com',
    'smtp-setup relay off',
  ],
  define(program, run) {
    const relay = program
      .command('relay')
      .summary('send through a hosted provider: list, set, show, test, off')
      .description('Sending through a hosted provider, for networks that block port 25 and for volume.');
    const start = (action: RelayAction, options: Parsed): Promise<void> =>
      run({
        action,
        consents: readConsentFlags({ ...options }),
        ...readChangeFlags({ ...options }, setKeys),
      });
    const add = (name: string, summary: string, keys: readonly QuestionKey[] = serverKeys): Command =>
      addCommonFlags(relay.command(name).description(summary), keys);
    const ofDomain = (options: Parsed) => (options.domain === undefined ? {} : { of: options.domain });
    const domainFlag = '--domain <domain>';

    addOutputFlags(relay.command('list').description('show the providers that are known, or all about one'))
      .argument('[provider]', 'only this one, with everything that is known of it')
      .action((provider: string | undefined, options: Parsed) =>
        start({ kind: 'list', ...(provider === undefined ? {} : { provider }) }, options),
      );
    addConsentFlags(
      addYesFlag(add('set', 'send through a provider; its login goes to the server only', setKeys)),
    )
      .argument('<provider>', 'one of relay list, or custom')
      .option(domainFlag, 'only mail from this domain')
      .option('--region <region>', "one of the provider's regions")
      .option('--host <name>', 'host name of the relay, for custom')
      .option('--port <number>', 'another port than the usual one', parsePort)
      .addOption(
        new Option('--tls <how>', 'TLS after STARTTLS, or from the first byte').choices([
          'starttls',
          'wrapper',
        ]),
      )
      .option('--spf-include <domain>', 'what SPF has to include, where the preset does not know')
      .action((provider: string, options: Parsed) =>
        start({ kind: 'set', ...ofDomain(options), settings: readSettings(provider, options) }, options),
      );
    add('show', 'show what mail goes through').action((options: Parsed) => start({ kind: 'show' }, options));
    add('test', 'log in at the relay without sending; with --to, send a mail as well')
      .option(domainFlag, "this domain's relay")
      .option('--to <address>', 'send a mail through it and tell what became of it')
      .action((options: Parsed) =>
        start(
          { kind: 'test', ...ofDomain(options), ...(options.to === undefined ? {} : { to: options.to }) },
          options,
        ),
      );
    addConsentFlags(addYesFlag(add('off', 'send to the receivers directly again; the login is removed')))
      .option(domainFlag, "only this domain's relay")
      .action((options: Parsed) => start({ kind: 'off', ...ofDomain(options) }, options));
  },
};

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('It is a number from 1 to 65535.');
}

function readSettings(provider: string, { region, host, port, tls, spfInclude }: Parsed): RelaySettings {
  return {
    provider,
    ...(region === undefined ? {} : { region }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(tls === undefined ? {} : { tls }),
    ...(spfInclude === undefined ? {} : { spfInclude }),
  };
}
