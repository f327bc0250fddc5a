import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { controlInProcess, serveControl } from './control.js';
import { CloudflareEmulator } from './emulator.js';
import { serveEmulator } from './server.js';
import type { TokenSettings } from './token-store.js';
import { createUpdateBackend, type UpdateServer, type ZoneBackend } from './zone-backend.js';
import type { ZoneSettings } from './zone-store.js';

/** What the emulator's process is started with: a JSON file. */
export interface CloudflareProcessConfig {
  host: string;
  port: number;
  /** Paths of PEM files. */
  tls?: { keyFile: string; certFile: string };
  controlSocket: string;
  zones: readonly ZoneSettings[];
  tokens: readonly TokenSettings[];
  proxyAddresses?: readonly string[];
  /** The name server to write through to, and the command that takes an nsupdate script on its standard input. */
  update?: UpdateServer & { command: readonly string[] };
}

/** Serves the emulator until the process is ended. Resolves to its base URL once it answers. */
export async function runCloudflareProcess(configFile: string): Promise<string> {
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as CloudflareProcessConfig;
  const backend = createBackend(config.update);
  const emulator = new CloudflareEmulator({
    ...(backend ? { backend } : {}),
    ...(config.proxyAddresses ? { proxyAddresses: config.proxyAddresses } : {}),
  });
  for (const zone of config.zones) emulator.addZone(zone);
  for (const token of config.tokens) emulator.addToken(token);
  const tls = config.tls && {
    key: readFileSync(config.tls.keyFile, 'utf8'),
    cert: readFileSync(config.tls.certFile, 'utf8'),
  };
  const { baseUrl } = await serveEmulator(emulator, {
    host: config.host,
    port: config.port,
    ...(tls ? { tls } : {}),
  });
  // Last, because whoever waits for the process waits for this socket.
  await serveControl(controlInProcess(emulator), config.controlSocket);
  return baseUrl;
}

function createBackend(update: CloudflareProcessConfig['update']): ZoneBackend | undefined {
  return update && createUpdateBackend(update, (script) => runWithInput(update.command, script));
}

/** Runs a command with this on its standard input; rejects with what it printed when it fails. */
export function runWithInput(command: readonly string[], input: string): Promise<void> {
  const [file = '', ...parameters] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, parameters, { stdio: ['pipe', 'ignore', 'pipe'] });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString('utf8')).slice(-4096);
    });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`${file}: ${errors}`))));
    child.stdin.end(input);
  });
}
