import { type Command, Option } from 'commander';
import type { QuestionKey } from '../../config/questions.js';
import {
  addChangeFlags,
  addCommonFlags,
  addConsentFlags,
  type ChangeOptions,
  type ConsentFlags,
  readChangeFlags,
  readConsentFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { connectionKeys } from './plan.js';

export type DomainAction =
  | { kind: 'list' }
  | { kind: 'add'; domain: string; mail?: 'full' | 'send-only'; separate?: boolean }
  | { kind: 'rm'; domain: string };

export interface DomainOptions extends ChangeOptions {
  action: DomainAction;
  consents: ConsentFlags;
}

interface Parsed {
  config?: string;
  yes?: boolean;
  mail?: 'full' | 'send-only';
  separate?: boolean;
}

const listKeys = ['hostname'] as const satisfies readonly QuestionKey[];
const changeKeys = [...connectionKeys, 'hostname'] as const satisfies readonly QuestionKey[];
const addKeys = [...changeKeys, 'dns'] as const satisfies readonly QuestionKey[];

/** `domain`: the domains that a server handles, with their DNS and keys. */
export const domainCommand: CommandDefinition<DomainOptions> = {
  examples: [
    'smtp-setup domain add example.net',
    'smtp-setup domain add example.net --mail send-only',
    'smtp-setup domain list',
    'smtp-setup domain rm example.net',
  ],
  define(program, run) {
    const domain = program
      .command('domain')
      .summary('domains of the server: list, add, rm')
      .description('Domains that the server handles, with their DNS records and DKIM keys.');
    const start = (action: DomainAction, options: Parsed): Promise<void> =>
      run({
        action,
        consents: readConsentFlags({ ...options }),
        ...readChangeFlags({ ...options }, addKeys),
      });
    const add = (name: string, summary: string, keys: readonly QuestionKey[]): Command => {
      const command = domain.command(name).description(summary);
      return name === 'list' ? addCommonFlags(command, keys) : addConsentFlags(addChangeFlags(command, keys));
    };
    add('list', 'show all domains', listKeys).action((options: Parsed) => start({ kind: 'list' }, options));
    add('add', 'handle mail of a further domain', addKeys)
      .argument('<domain>', 'the domain')
      .addOption(
        new Option(
          '--mail <how>',
          'full: its mail comes here, too; send-only: it goes where it goes today',
        ).choices(['full', 'send-only']),
      )
      .option(
        '--separate',
        'for cold mail: limits of its own that rise day by day, never mixed with the others',
      )
      .action((name: string, { mail, separate, ...options }: Parsed) =>
        start(
          {
            kind: 'add',
            domain: name,
            ...(mail === undefined ? {} : { mail }),
            ...(separate ? { separate } : {}),
          },
          options,
        ),
      );
    add('rm', 'give a domain up: its records of ours go; its DKIM key stays visible for 7 days', changeKeys)
      .argument('<domain>', 'the domain')
      .action((name: string, options: Parsed) => start({ kind: 'rm', domain: name }, options));
  },
};
