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

async function exportScript(more: string): Promise<{ code: number; out: string; err: string }> {
  folder = await mkdtemp(join(tmpdir(), 'smtp-setup-export-'));
  const file = join(folder, 'smtp-setup.yaml');
  const text = `version: 1
servers:
  mail.example.org:
    ssh: root@198.51.100.10
${more}domains:
  example.org:
    dns: cloudflare
    mail: send-only
`;
  await writeFile(file, text);
  const streams = captureStreams();
  const env = { HOME: folder, XDG_STATE_HOME: folder };
  const code = await main(['export', 'script', '--config', file], env, streams);
  return { code, out: streams.outText, err: streams.errText };
}

it('a server that sends through a relay is not exported as one that does not', async () => {
  const { code, out, err } = await exportScript('    relay: { provider: custom, host: smtp.relay.test }\n');
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(err).toContain('E_EXPORT_RELAY');
  expect(err).toContain('smtp-setup relay set');
});

it('a server that only sends is exported without a mail store', async () => {
  const { code, out, err } = await exportScript('    profile: send-only\n');
  expect(code, err).toBe(0);
  expect(out).toContain('dovecot-core');
  expect(out).not.toContain('dovecot-imapd');
});
