import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RelayOptions, relayCommand } from '../../../src/cli/commands/relay.js';
import type { Context } from '../../../src/cli/context.js';
import { runRelay } from '../../../src/pipeline/relay.js';
import { parseCommand } from '../../helpers/parse-command.js';

const yaml = `version: 1
servers:
  mail.example.org: { ssh: root@198.51.100.7 }
domains:
  example.org: { dns: cloudflare }
`;
let folder: string;
let config: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'relay-'));
  config = join(folder, 'smtp-setup.yaml');
  await writeFile(config, yaml);
});
afterAll(() => rm(folder, { recursive: true }));

/** A login file that is not there: whoever reads it fails with another error. */
const env = { SMTP_SETUP_RELAY_PASSWORD_FILE: '/nowhere/password' };
const context = { env, io: {}, createAsker: async () => ({ interactive: false }) } as unknown as Context;

it.each([
  ['sendgrid', ['--host', 'x y']],
  ['custom', ['--host', 'smtp.example.net', '--spf-include', 'Foo Bar']],
])('refuses a value that cannot be used before the login is read: %s %s', async (provider, flags) => {
  const line = ['relay', 'set', provider, ...flags, '--config', config, '--yes'];
  const options = (await parseCommand(relayCommand, line)) as RelayOptions;
  await expect(runRelay(context, options)).rejects.toMatchObject({
    code: 'E_RELAY_SETTINGS',
    exit: 2,
    evidence: [expect.stringMatching(new RegExp(`^${flags.slice(-2).join(' ')}: [A-Z0-9"].*\\.$`))],
  });
  expect(await readFile(config, 'utf8')).toBe(yaml);
});

it.each(['abc', '0', '99999', '65536', '-1', '1e3', '0x19', ''])('takes no port %s', async (port) => {
  const line = ['relay', 'set', 'custom', '--host', 'smtp.example.net', `--port=${port}`];
  await expect(parseCommand(relayCommand, line)).rejects.toMatchObject({
    code: 'commander.invalidArgument',
    message: expect.stringContaining('1 to 65535'),
  });
});

it('takes a port', async () => {
  const line = ['relay', 'set', 'custom', '--host', 'smtp.example.net', '--port', '65535'];
  expect(await parseCommand(relayCommand, line)).toMatchObject({ action: { settings: { port: 65_535 } } });
});
