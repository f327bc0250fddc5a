import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Context } from '../../../src/cli/context.js';
import { loadConfig } from '../../../src/config/load.js';
import { chooseServer, chooseServers, openServerSession } from '../../../src/pipeline/choose-servers.js';
import { readAnswers, type Session } from '../../../src/pipeline/session.js';
import { scriptAnswers } from '../../helpers/scripted-asker.js';

let folder: string;
let config: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'servers-'));
  config = join(folder, 'smtp-setup.yaml');
  await writeFile(
    config,
    `version: 1
servers:
  mail.example.org: { ssh: root@198.51.100.7 }
  mail2.example.org: { ssh: root@198.51.100.8 }
domains:
  example.org: { server: mail.example.org, dns: cloudflare }
`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

const context = (env: Record<string, string> = {}) =>
  ({ env, createAsker: async () => scriptAnswers([]) }) as unknown as Context;
const choose = (servers: string[], flags = {}, env = {}) =>
  chooseServers(context(env), { config, flags, servers });

it('means every server, or those that are named, in the order of the file', async () => {
  const both = ['mail.example.org', 'mail2.example.org'];
  // The only domain belongs to one of them; that chooses nothing.
  expect(await choose([])).toEqual(both);
  expect(await choose(['mail2.example.org', 'mail.example.org'])).toEqual(both);
  expect(await choose(['mail2.example.org'])).toEqual(['mail2.example.org']);
  expect(await choose([], {}, { SMTP_SETUP_HOSTNAME: 'mail2.example.org' })).toEqual(['mail2.example.org']);
  await expect(choose(['mail3.example.org'])).rejects.toMatchObject({ code: 'E_NO_SERVER', exit: 2 });
});

it('refuses what can mean one server only, from flag or environment', async () => {
  const one = { code: 'E_ONE_SERVER', exit: 2 };
  await expect(choose([], { ssh: 'root@198.51.100.9' })).rejects.toMatchObject(one);
  await expect(choose([], {}, { SMTP_SETUP_SSH: 'root@198.51.100.9' })).rejects.toMatchObject(one);
  expect(await choose(['mail2.example.org'], { ssh: 'root@198.51.100.9' })).toHaveLength(1);
});

it('gives a server no domain of another one', async () => {
  const session = await openServerSession(context(), { config, flags: {} }, 'mail2.example.org');
  const chosen = chooseServer(session, session.answers);
  expect(chosen.hostname).toBe('mail2.example.org');
  expect(chosen.config).toEqual(session.loaded?.config);
  expect(session.answers.ssh?.value).toBe('root@198.51.100.8');
});

it.each(['flag', 'env'])('refuses a host name that is not in the file, from %s', async (from) => {
  const loaded = await loadConfig(config);
  const typo = 'mail.exmaple.org';
  const choice = (flags: Record<string, string>, env = {}) => {
    const answers = readAnswers({ env }, config, flags, loaded);
    return chooseServer({ configPath: config, loaded } as unknown as Session, answers);
  };
  const named = () =>
    from === 'flag' ? choice({ hostname: typo }) : choice({}, { SMTP_SETUP_HOSTNAME: typo });
  expect(named).toThrow(
    expect.objectContaining({
      code: 'E_NO_SERVER',
      exit: 2,
      message: expect.stringContaining(typo),
      evidence: [expect.stringMatching(/names: mail\.example\.org, mail2\.example\.org$/)],
    }),
  );
  expect(choice({ hostname: 'new.example.org', ssh: 'root@198.51.100.9' }).hostname).toBe('new.example.org');
});
