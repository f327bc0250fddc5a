import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { main } from '../../../src/main.js';
import { captureStreams } from '../../helpers/streams.js';

let folder: string | undefined;
afterEach(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

async function exportScript(
  { server = '', domain = '' }: { server?: string; domain?: string },
  ...flags: string[]
): Promise<{ code: number; out: string; err: string }> {
  folder = await mkdtemp(join(tmpdir(), 'smtp-setup-export-'));
  const file = join(folder, 'smtp-setup.yaml');
  const text = `version: 1
servers:
  mail.example.org:
    ssh: root@198.51.100.10
${server}domains:
  example.org:
    dns: cloudflare
    mail: send-only
${domain}`;
  await writeFile(file, text);
  const streams = captureStreams();
  const env = { HOME: folder, XDG_STATE_HOME: folder };
  const code = await main(['export', 'script', '--config', file, ...flags], env, streams);
  return { code, out: streams.outText, err: streams.errText };
}

const relay = { server: '    relay: { provider: custom, host: smtp.relay.test }\n' };

it('a server that sends through a relay is not exported as one that does not', async () => {
  const { code, out, err } = await exportScript(relay);
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain('E_EXPORT_RELAY');
  expect(err).toContain('smtp-setup relay set');
  expect(err).toContain('--relay-login-command');
});

it('a relay whose login the server fetches is a step behind the packages', async () => {
  const { code, out, err } = await exportScript(relay, '--relay-login-command', 'vault read "$RELAY_HOST"');
  expect(code, err).toBe(0);
  expect(out).toContain(`LOGIN_SOURCE='vault read "$RELAY_HOST"'`);
  expect(out).toContain('\nserver smtp.relay.test\n');
  const calls = [...out.matchAll(/^call (\w+)/gm)].map(([, fn]) => fn);
  expect(calls).toContain('relay_store');
  expect(calls.indexOf('relay_store')).toBeGreaterThan(calls.lastIndexOf('packages_install'));
});

it('a login is not fetched twice over, nor for nobody', async () => {
  const both = await exportScript(
    relay,
    '--relay-login-command',
    'true',
    '--relay-login-file',
    '/root/login',
  );
  expect(both.code).toBe(2);
  expect(both.err).toContain('--relay-login-file or --relay-login-command');
  const nobody = await exportScript({}, '--relay-login-file', '/root/login');
  expect(nobody.code).toBe(2);
  expect(nobody.err).toContain('sends through none');
});

it('a domain that keeps apart is exported with limits of its own', async () => {
  const { code, out, err } = await exportScript({ domain: '    separate: true\n' });
  expect(code, err).toBe(0);
  expect(out).toMatch(/^group example\.org 'warm-example\.org-\d+' example\.org$/m);
});

it('a server that only sends is exported without a mail store', async () => {
  const { code, out, err } = await exportScript({ server: '    profile: send-only\n' });
  expect(code, err).toBe(0);
  expect(out).toContain('dovecot-core');
  expect(out).not.toContain('dovecot-imapd');
});
