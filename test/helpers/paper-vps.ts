import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProbeOutput } from '../../src/facts/probe.js';
import { main } from '../../src/main.js';
import { CloudflareEmulator } from '../../src/sandbox/cloudflare/emulator.js';
import { serveEmulator } from '../../src/sandbox/cloudflare/server.js';
import { startDnsServer } from './dns-server.js';
import { makeKey, startSshServer } from './ssh-server.js';
import { captureStreams } from './streams.js';

const fresh = new URL('../unit/facts/fixtures/debian-13-fresh.json', import.meta.url);
const token = 'paper-token-0123456789abcdefghijklmnopq';
const loginPassword = 'login-on-paper';

/** Answers the questions of a login and those about facts, from a file; whatever else is asked fails. Runs nothing. */
const shell = `
const [, file, command] = process.argv;
let input = '';
process.stdin.on('data', (chunk) => (input += chunk)).on('end', () => {
  const marker = '\\n' + /smtp-setup-[0-9a-f]{16}/.exec(command)[0] + '\\n';
  const facts = JSON.parse(require('node:fs').readFileSync(file, 'utf8'));
  const answers = Object.entries(facts).map(
    ([name, { code, stdout }]) =>
      'smtp-setup-facts ' + name + ' ' + Buffer.from(stdout).toString('base64') + ' ' + code + '\\n',
  );
  const isLogin = command.includes('uid=');
  const isFacts = input.includes('smtp-setup-facts');
  process.stderr.write(marker);
  process.stdout.write(marker + (isLogin ? 'uid=0\\npeer=\\n' : isFacts ? answers.join('') : ''));
  process.exitCode = isLogin || isFacts ? 0 : 1;
});`;

export interface PaperOptions {
  /** Domains that have a zone at the provider. */
  zones: readonly string[];
  /** What `ip addr` shows. */
  addresses: readonly string[];
  /** PTR and other records: lines of a DNS server, by zone. */
  dns?: Readonly<Record<string, readonly string[]>>;
}

export interface PaperVps {
  ssh: string;
  emulator: CloudflareEmulator;
  folder: string;
  configFile: string;
  /** The program with everything that leads to this server; without a terminal, so that it ends at the first question. */
  run(...args: string[]): Promise<{ code: number; out: string; err: string }>;
  close(): Promise<void>;
}

/** A fresh server that can be reached and asked, and on which nothing can be done: for what comes before the first change. */
export async function openPaperVps({ zones, addresses, dns = {} }: PaperOptions): Promise<PaperVps> {
  const folder = await mkdtemp(join(tmpdir(), 'smtp-setup-paper-'));
  const facts = JSON.parse(readFileSync(fresh, 'utf8')) as Record<string, ProbeOutput>;
  const own = `${addresses.join('\n')}\n`;
  const now = `${Math.floor(Date.now() / 1000)}\n--\nNTP=no\nNTPSynchronized=no\n`;
  const outbound = 'mx.example.net\t4\t203.0.113.9\topen\t220 mx\n';
  for (const [name, stdout] of Object.entries({ addresses: `${own}--\n${own}`, clock: now, outbound }))
    facts[name] = { code: 0, stdout };
  const factsFile = join(folder, 'facts.json');
  const password = join(folder, 'password');
  const configFile = join(folder, 'smtp-setup.yaml');
  await writeFile(factsFile, JSON.stringify(facts));
  await writeFile(password, 'correct-kite-zebra-77\n');
  const key = await makeKey('ed25519');
  const server = await startSshServer({
    hostKeys: [key.privateText],
    password: loginPassword,
    shell: [process.execPath, '-e', shell, factsFile],
  });
  const resolver = await startDnsServer({ zones: { '': [], ...dns }, recursive: true });
  const emulator = new CloudflareEmulator();
  for (const name of zones) emulator.addZone({ name });
  emulator.addToken({ value: token, access: 'edit', zones: 'all' });
  const api = await serveEmulator(emulator);
  const ssh = `root@127.0.0.1:${server.port}`;
  const env = {
    HOME: folder,
    XDG_STATE_HOME: folder,
    CLOUDFLARE_API_TOKEN: token,
    CLOUDFLARE_BASE_URL: api.baseUrl,
    SMTP_SETUP_SSH_PASSWORD: loginPassword,
    SMTP_SETUP_PASSWORD_FILE: password,
    SMTP_SETUP_CONFIG: configFile,
    SMTP_SETUP_HOST_KEY: key.fingerprint,
    SMTP_SETUP_RESOLVER: `${resolver.address}:${resolver.port}`,
  };
  return {
    ssh,
    emulator,
    folder,
    configFile,
    async run(...args) {
      const streams = captureStreams();
      const code = await main(args, env, streams);
      return { code, out: streams.outText, err: streams.errText };
    },
    async close() {
      await Promise.all([server.close(), resolver.close(), api.close()]);
      await rm(folder, { recursive: true });
    },
  };
}
