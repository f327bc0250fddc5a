import type { Command } from 'commander';
import { splitList } from '../../lib/split-list.js';
import { addChangeFlags, type ChangeOptions, readChangeFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';
import { serverKeys } from './user.js';

export interface BackupOptions extends ChangeOptions {
  /** A file that is not there yet, or a directory. */
  target: string;
  /** age recipients; without any a passphrase protects it. */
  recipients: readonly string[];
  passphraseFile?: string;
  plain: boolean;
}

interface Parsed {
  recipient?: readonly string[];
  passphraseFile?: string;
  plain?: boolean;
  config?: string;
  yes?: boolean;
}

export function addPassphraseFlag(command: Command): Command {
  return command.option(
    '--passphrase-file <file>',
    'the passphrase, - for stdin (or SMTP_SETUP_PASSPHRASE; default: asked)',
  );
}

/** `backup`: everything that a new server would need, in one encrypted file on this machine. */
export const backupCommand: CommandDefinition<BackupOptions> = {
  examples: ['smtp-setup backup .', 'smtp-setup backup --recipient age1… /mnt/backups'],
  define(program, run) {
    const command = program
      .command('backup')
      .summary('save configuration, keys, mailboxes and mail to an encrypted file here')
      .description(
        'Writes one file from which `restore` makes the same server again: configuration, DKIM keys, certificates, mailboxes with their passwords, and mail. Encrypted with gpg (passphrase) or age (--recipient).',
      )
      .argument('<target>', 'a new file, or a directory')
      .option('--recipient <keys>', 'encrypt with age to these public keys (age1…, ssh-…)', splitList)
      .option('--plain', 'do not encrypt; asks first');
    addPassphraseFlag(command);
    addChangeFlags(command, serverKeys).action((target: string, options: Parsed) =>
      run({
        target,
        recipients: options.recipient ?? [],
        ...(options.passphraseFile === undefined ? {} : { passphraseFile: options.passphraseFile }),
        plain: options.plain ?? false,
        ...readChangeFlags({ ...options }, serverKeys),
      }),
    );
  },
};
