import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Context } from '../../../src/cli/context.js';
import { saveLock } from '../../../src/config/load.js';
import { parseConfig } from '../../../src/config/parse.js';
import { runCheck } from '../../../src/pipeline/check.js';
import { linkHost } from '../../../src/pipeline/check-server.js';
import { readAnswers, type Session } from '../../../src/pipeline/session.js';

const pin = (letter: string) => `SHA256:${letter.repeat(43)}`;
const one = `version: 1
servers:
  mail.example.org: { ssh: root@198.51.100.7, identity: /keys/mail, hostKey: "${pin('A')}" }
`;
const backup = `  mx2.example.org: { ssh: root@198.51.100.8, identity: /keys/mx2, hostKey: "${pin('B')}", profile: backup-mx }
`;
const domain = (name: string, more = '') =>
  `  ${name}: { server: mail.example.org, dns: cloudflare${more} }\n`;
const kept = domain('example.org', ', backup: mx2.example.org');

/** The login that a check of the host tries. */
async function loginFor(hostname: string, text: string, flags = {}): Promise<unknown> {
  const tried: unknown[] = [];
  const context = {
    homeDir: '/home/ada',
    signal: new AbortController().signal,
    io: { verbose: false, say: () => undefined },
    createConnector: async ({ target, identity, hostKey }: Record<string, unknown>) => {
      tried.push({ target, identity, hostKey });
      throw new Error('enough');
    },
  };
  const configPath = '/etc/smtp-setup.yaml';
  const loaded = parseConfig(text, configPath);
  const answers = readAnswers({ env: {} }, configPath, flags, loaded);
  const { findings } = await linkHost({ context, configPath, loaded, answers } as unknown as Session, {
    hostname,
    addresses: [],
  });
  expect(findings).toMatchObject([{ id: 'SERVER-SSH', subject: hostname, status: 'unknown' }]);
  return tried[0];
}

const mail = { target: 'root@198.51.100.7', identity: '/keys/mail', hostKey: pin('A') };
const mx2 = { target: 'root@198.51.100.8', identity: '/keys/mx2', hostKey: pin('B') };

it.each([
  ['one domain', `domains:\n${kept}`],
  ['two domains', `domains:\n${kept}${domain('example.net')}`],
])('logs in to each host of a fleet with what the file says of that host: %s', async (_, domains) => {
  expect(await loginFor('mail.example.org', one + backup + domains)).toEqual(mail);
  expect(await loginFor('mx2.example.org', one + backup + domains)).toEqual(mx2);
});

it('never logs in elsewhere for a host that the configuration does not have any more', async () => {
  const text = `${one}domains:\n${domain('example.org')}`;
  expect(await loginFor('old.example.org', text)).toBeUndefined();
});

it('lets a flag overrule what the file says', async () => {
  const text = `${one}domains:\n${domain('example.org')}`;
  expect(await loginFor('mail.example.org', text, { ssh: 'ada@198.51.100.9' })).toEqual({
    ...mail,
    target: 'ada@198.51.100.9',
  });
});

it('takes no login from flag or environment for several hosts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'check-'));
  const config = join(folder, 'smtp-setup.yaml');
  await writeFile(config, `${one}${backup}domains:\n${kept}`);
  const servers = {
    'mail.example.org': { ipv4: '198.51.100.7' },
    'mx2.example.org': { ipv4: '198.51.100.8' },
  };
  await saveLock(config, { version: 1, servers, domains: {} });
  const context = {
    env: { SMTP_SETUP_SSH: 'root@198.51.100.9' },
    clock: () => 0,
    createAsker: async () => null,
  };
  const options = { scope: 'server', config, flags: {}, selectors: [], failOn: 'fail' } as const;
  await expect(runCheck(context as unknown as Context, options)).rejects.toMatchObject({
    code: 'E_ONE_SERVER',
    exit: 2,
    evidence: Object.keys(servers),
    fix: [expect.stringMatching(/^Leave it out/)],
  });
  await rm(folder, { recursive: true });
});
