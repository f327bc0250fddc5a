import { expect, it } from 'vitest';
import { readSshSecrets } from '../../../src/cli/ssh-secrets.js';
import { openGivenFiles } from '../../../src/config/given-files.js';
import { createRedactor } from '../../../src/config/redact.js';

it('gives what the environment has once, hides it everywhere, and asks then', async () => {
  const redactor = createRedactor();
  const env = { SMTP_SETUP_SUDO_PASSWORD: 'marker-sudo', SMTP_SETUP_SSH_PASSPHRASE: 'marker-phrase' };
  const prompts = { sudoPassword: async () => 'typed' };
  const given = await readSshSecrets({ env, files: openGivenFiles(process.stdin), redactor }, prompts);
  expect(Object.keys(given).sort()).toEqual(['passphrase', 'sudoPassword']);
  expect(await given.sudoPassword?.('ada', 'mail.example.org')).toBe('marker-sudo');
  expect(await given.sudoPassword?.('ada', 'other.example.org')).toBe('marker-sudo');
  expect(await given.sudoPassword?.('ada', 'mail.example.org')).toBe('typed');
  expect(await given.passphrase?.('~/.ssh/id_ed25519')).toBe('marker-phrase');
  expect(await given.passphrase?.('~/.ssh/id_ed25519')).toBeUndefined();
  expect(redactor.redact('marker-sudo marker-phrase')).toBe('[hidden] [hidden]');
});
