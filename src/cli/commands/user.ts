import type { Command } from 'commander';
import type { QuestionKey } from '../../config/questions.js';
import { splitList } from '../../lib/split-list.js';
import { addChangeFlags, addCommonFlags, type ChangeOptions, readChangeFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';

export type UserAction =
  | { kind: 'list' }
  | {
      kind: 'add';
      addresses: readonly string[];
      /** CSV file, `-` for stdin. */
      csv?: string;
      /** Addresses that an application's login may send as. */
      senders?: readonly string[];
      generate: boolean;
    }
  | { kind: 'passwd'; address: string; generate: boolean }
  | { kind: 'rm'; addresses: readonly string[]; deleteMail?: true }
  | { kind: 'quota'; address: string; size: string }
  | { kind: 'disable' | 'enable'; addresses: readonly string[] };

export interface UserOptions extends ChangeOptions {
  action: UserAction;
}

/** How the day-two commands get to the server. */
export const serverKeys = [
  'ssh',
  'identity',
  'hostKey',
  'hostname',
] as const satisfies readonly QuestionKey[];
const passwordKeys = [...serverKeys, 'passwordFile'] as const satisfies readonly QuestionKey[];

interface Parsed {
  config?: string;
  yes?: boolean;
  csv?: string;
  sender?: readonly string[];
  generate?: boolean;
  deleteMail?: true;
}

/** `user`: mailboxes, and logins for applications. */
export const userCommand: CommandDefinition<UserOptions> = {
  examples: [
    'smtp-setup user add ada@example.org',
    'smtp-setup user add ada@example.org bob@example.org --generate',
    'smtp-setup user add --csv - --yes < list.csv',
    'smtp-setup user add shop@example.org --sender orders@example.org,@example.net --generate',
    'smtp-setup user list',
    'smtp-setup user passwd ada@example.org',
    'smtp-setup user quota ada@example.org 10G',
    'smtp-setup user disable ada@example.org',
    'smtp-setup user enable ada@example.org',
    'smtp-setup user rm bob@example.org',
    'smtp-setup user rm bob@example.org --delete-mail',
  ],
  define(program, run) {
    const user = program
      .command('user')
      .summary('mailboxes: list, add, passwd, quota, rm, disable, enable')
      .description('Mailboxes, and logins for applications. They live on the server only.');
    const start = (action: UserAction, options: Parsed): Promise<void> =>
      run({
        action,
        ...readChangeFlags({ ...options }, passwordKeys),
      });
    const add = (name: string, summary: string, keys: readonly QuestionKey[] = serverKeys): Command => {
      const command = user.command(name).description(summary);
      return name === 'list' ? addCommonFlags(command, keys) : addChangeFlags(command, keys);
    };

    add('list', 'show all mailboxes and logins').action((options: Parsed) =>
      start({ kind: 'list' }, options),
    );
    add('add', 'create mailboxes', passwordKeys)
      .argument('[addresses...]', 'the mailboxes')
      .option('--csv <file>', 'many at once: address,password or address,hash a line; - for stdin')
      .option('--generate', 'make up the password and show it, once')
      .option(
        '--sender <addresses>',
        'a login without a mailbox that may send as these (@domain: all of it)',
        splitList,
      )
      .action((addresses: string[], { csv, sender, generate, ...options }: Parsed) =>
        start(
          {
            kind: 'add',
            addresses,
            ...(csv === undefined ? {} : { csv }),
            ...(sender === undefined ? {} : { senders: sender }),
            generate: generate ?? false,
          },
          options,
        ),
      );
    add('passwd', 'change a password', passwordKeys)
      .argument('<address>', 'whose')
      .option('--generate', 'make up the password and show it, once')
      .action((address: string, { generate, ...options }: Parsed) =>
        start({ kind: 'passwd', address, generate: generate ?? false }, options),
      );
    add('rm', 'remove mailboxes or logins; the stored mail stays')
      .argument('<addresses...>', 'whose')
      .option('--delete-mail', 'delete the stored mail, too; all of it must be in a backup')
      .action((addresses: string[], { deleteMail, ...options }: Parsed) =>
        start({ kind: 'rm', addresses, ...(deleteMail ? { deleteMail } : {}) }, options),
      );
    add('quota', 'how much mail a mailbox may hold')
      .argument('<address>', 'whose')
      .argument('<size>', '500M, 5G, 1T; none: no limit; default: what smtp-setup.yaml says')
      .action((address: string, size: string, options: Parsed) =>
        start({ kind: 'quota', address, size }, options),
      );
    const several = [
      ['disable', 'no login and no sending; mail still comes in'],
      ['enable', 'undo disable, with the password as it was'],
    ] as const;
    for (const [kind, summary] of several) {
      add(kind, summary)
        .argument('<addresses...>', 'whose')
        .action((addresses: string[], options: Parsed) => start({ kind, addresses }, options));
    }
  },
};
