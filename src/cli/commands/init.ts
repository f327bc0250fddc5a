import type { QuestionKey } from '../../config/questions.js';
import {
  addChangeFlags,
  addConsentFlags,
  type ChangeOptions,
  type ConsentFlags,
  readChangeFlags,
  readConsentFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';

export interface InitOptions extends ChangeOptions {
  consents: ConsentFlags;
}

const asked = [
  'ssh',
  'identity',
  'hostKey',
  'domain',
  'hostname',
  'dns',
  'profile',
  'mailbox',
  'passwordFile',
  'acmeDirectory',
  'acmeCa',
  'resolver',
  'ipv4',
  'serverForwarder',
  'trustAnchor',
  'relay',
  'relayUser',
  'relayPasswordFile',
] as const satisfies readonly QuestionKey[];

/** `init`: the wizard, and without a terminal the same from flags. */
export const initCommand: CommandDefinition<InitOptions> = {
  examples: [
    'smtp-setup init',
    'smtp-setup init --ssh root@mail.example.org --domain example.org --mailbox ada@example.org --password-file pw --yes',
    'smtp-setup init --profile send-only --ssh root@mail.example.org --domain example.org --yes',
  ],
  define(program, run) {
    const command = program
      .command('init')
      .summary('set up the server and DNS; run it again to add a mailbox or to repair')
      .description(
        'Asks what it cannot find out, shows one plan over server and DNS, asks once, and makes it so. ' +
          'Each value may come from the environment, too: --domain as SMTP_SETUP_DOMAIN, --host-key as SMTP_SETUP_HOST_KEY.',
      );
    addConsentFlags(addChangeFlags(command, asked)).action(async (options: object) => {
      await run({
        consents: readConsentFlags({ ...options }),
        ...readChangeFlags({ ...options }, asked),
      });
    });
  },
};
