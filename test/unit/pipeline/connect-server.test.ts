import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/parse.js';
import { connectServer } from '../../../src/pipeline/connect-server.js';
import { readAnswers, type Session } from '../../../src/pipeline/session.js';

const server = (name: string) => `  ${name}:\n    ssh: root@203.0.113.7\n`;

it.each([
  ['no file', undefined, /There is no smtp-setup\.yaml/, /smtp-setup init/],
  [
    'several',
    `version: 1\nservers:\n${server('mail.example.org')}${server('mail.example.net')}domains:\n  example.org:\n    dns: cloudflare\n    server: mail.example.org\n`,
    /names mail\.example\.org, mail\.example\.net/,
    /--hostname NAME/,
  ],
])('with %s it is said which server could be meant', async (_, text, evidence, fix) => {
  const loaded = text === undefined ? undefined : parseConfig(text, 'smtp-setup.yaml');
  const session = { configPath: 'smtp-setup.yaml', loaded } as unknown as Session;
  await expect(connectServer(session, {})).rejects.toMatchObject({
    code: 'E_NO_SERVER',
    exit: 2,
    evidence: [expect.stringMatching(evidence)],
    fix: [expect.stringMatching(fix), expect.stringContaining('--ssh')],
  });
});

it('looks for the key of the configuration in the folder of the configuration', async () => {
  const asked: unknown[] = [];
  const context = {
    homeDir: '/home/ada',
    io: { verbose: false, say: () => undefined },
    createConnector: async (options: { identity?: string }) => {
      asked.push(options.identity);
      throw new Error('enough');
    },
  };
  const folder = await mkdtemp(join(tmpdir(), 'identity-'));
  const configPath = join(folder, 'smtp-setup.yaml');
  const yaml = `version: 1\nservers:\n${server('mail.example.org')}    identity: keys/id\ndomains: {}\n`;
  const loaded = parseConfig(yaml, configPath);
  for (const flags of [{}, { identity: 'other' }]) {
    const answers = readAnswers({ env: {} }, configPath, flags, loaded);
    const session = { context, configPath, loaded } as unknown as Session;
    await expect(connectServer(session, answers)).rejects.toThrow('enough');
  }
  await rm(folder, { recursive: true });
  expect(asked).toEqual([join(folder, 'keys/id'), resolve('other')]);
});
