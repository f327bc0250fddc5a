import {
  addChangeFlags,
  addConsentFlags,
  type ChangeOptions,
  type ConsentFlags,
  readChangeFlags,
  readConsentFlags,
} from '../flags.js';
import { addPassphraseFlag } from './backup.js';
import type { CommandDefinition } from './definition.js';
import { connectionKeys } from './plan.js';

export interface RestoreOptions extends ChangeOptions {
  file: string;
  /** Private key file of age. */
  ageIdentity?: string;
  passphraseFile?: string;
  consents: ConsentFlags;
}

interface Parsed {
  ageIdentity?: string;
  passphraseFile?: string;
  config?: string;
  yes?: boolean;
}

/** `restore`: the server of a backup, made again on a fresh VPS. */
export const restoreCommand: CommandDefinition<RestoreOptions> = {
  examples: ['smtp-setup restore mail.example.org-20261124T101500Z.tar.gpg --ssh root@203.0.113.9'],
  define(program, run) {
    const command = program
      .command('restore')
      .summary('make the server of a backup again, on a fresh VPS')
      .description(
        'Checks the whole backup first. Then the plan is that of `apply`, with mail, keys and passwords from the backup; in DNS only the address changes.',
      )
      .argument('<file>', 'the backup')
      .option('--age-identity <file>', 'private key, for a backup made with --recipient');
    addPassphraseFlag(command);
    addConsentFlags(addChangeFlags(command, connectionKeys)).action((file: string, options: Parsed) =>
      run({
        file,
        ...(options.ageIdentity === undefined ? {} : { ageIdentity: options.ageIdentity }),
        ...(options.passphraseFile === undefined ? {} : { passphraseFile: options.passphraseFile }),
        consents: readConsentFlags({ ...options }),
        ...readChangeFlags({ ...options }, connectionKeys),
      }),
    );
  },
};
