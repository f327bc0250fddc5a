import type { QuestionKey } from '../../config/questions.js';
import {
  addConfigFlag,
  addConsentFlags,
  addOutputFlags,
  addQuestionFlags,
  addYesFlag,
  type ConsentFlags,
  type FlagValues,
  readConsentFlags,
  readQuestionFlags,
} from '../flags.js';
import type { CommandDefinition } from './definition.js';

export interface InitOptions {
  consents: ConsentFlags;
  /** Values given as flags, by question. */
  flags: FlagValues;
  config?: string;
  yes: boolean;
}

const asked = [
  'ssh',
  'identity',
  'hostKey',
  'domain',
  'hostname',
  'dns',
  'mailbox',
  'passwordFile',
  'acmeDirectory',
  'acmeCa',
  'resolver',
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
  ],
  define(program, run) {
    const command = program
      .command('init')
      .summary('set up the server and DNS; run it again to add a mailbox or to repair')
      .description(
        'Asks what it cannot find out, shows one plan over server and DNS, asks once, and makes it so.',
      );
    addQuestionFlags(command, asked);
    addConsentFlags(command);
    addConfigFlag(command);
    addYesFlag(command);
    addOutputFlags(command).action(async (options: { config?: string; yes?: boolean }) => {
      await run({
        consents: readConsentFlags({ ...options }),
        flags: readQuestionFlags({ ...options }, asked),
        ...(options.config === undefined ? {} : { config: options.config }),
        yes: options.yes ?? false,
      });
    });
  },
};
