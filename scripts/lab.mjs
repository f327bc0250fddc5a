#!/usr/bin/env node
// A throwaway VPS for trying things while developing (as root):
//
//   node scripts/lab.mjs up NAME [--image debian-13] [--layer L] [--hostname H] [--domain D] [--no-ipv6]
//   node scripts/lab.mjs exec NAME COMMAND…     runs a shell command on the VPS as root (nsenter, no SSH)
//   node scripts/lab.mjs client NAME COMMAND…   runs a program in the client's network namespace
//   node scripts/lab.mjs shell NAME             a root shell on the VPS
//   node scripts/lab.mjs status NAME            addresses, SSH key file, host key fingerprint
//   node scripts/lab.mjs reboot|cut|save NAME [LAYER]
//   node scripts/lab.mjs down NAME
//
// SSH: ip netns exec smtplab-NAME-client ssh -i /run/smtp-setup-sandbox/NAME/id_ed25519 root@198.51.100.25
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const sandbox = join(project, 'src/sandbox');

async function loadSandbox() {
  const outdir = mkdtempSync('/tmp/smtp-setup-lab-');
  process.on('exit', () => rmSync(outdir, { recursive: true, force: true }));
  const daemons = readdirSync(join(sandbox, 'daemons')).map((file) => join(sandbox, 'daemons', file));
  await build({
    entryPoints: [join(sandbox, 'index.ts'), ...daemons],
    outbase: sandbox,
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['esbuild'],
    logLevel: 'warning',
    banner: { js: "import { createRequire as r0 } from 'node:module'; const require = r0(import.meta.url);" },
  });
  return import(pathToFileURL(join(outdir, 'index.js')).href);
}

function print(line) {
  process.stdout.write(`${line}\n`);
}

function run(argv) {
  const result = spawnSync(argv[0], argv.slice(1), { stdio: 'inherit' });
  process.exitCode = result.status ?? 1;
}

const [command = 'help', name = 'default', ...rest] = process.argv.slice(2);
const option = (flag) => (rest.includes(flag) ? rest[rest.indexOf(flag) + 1] : undefined);
const api = await loadSandbox();
const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => abort.abort());

function describe(lab) {
  print(`lab        ${lab.name} (${lab.image}), domain ${lab.domain}, resolver ${lab.resolver}`);
  print(`vps        root@${lab.vps.ipv4} ${lab.vps.ipv6 ?? ''} host name ${lab.vps.hostname}`);
  print(`host key   ${lab.vps.hostKeyFingerprint}`);
  print(`key file   ${lab.vps.sshKeyFile}`);
  print(`client     ip netns exec ${lab.client.namespace} …`);
  print(`root       ${lab.vps.root}`);
}

const commands = {
  async up() {
    const started = performance.now();
    const log = (line) =>
      print(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);
    const image = option('--image');
    const options = { name, log, signal: abort.signal, cacheDir: api.cacheDirFrom(process.env) };
    for (const key of ['image', 'layer', 'hostname', 'domain'])
      if (option(`--${key}`)) options[key] = option(`--${key}`);
    const lab = await api.createLab({
      ...options,
      ipv6: !rest.includes('--no-ipv6'),
      ...(image ? { image } : {}),
    });
    log('Ready');
    describe(lab);
  },
  async exec() {
    const lab = await api.loadLab(name);
    run(await lab.vps.enterCommand(['/bin/sh', '-c', rest.join(' ')]));
  },
  async client() {
    const lab = await api.loadLab(name);
    run(lab.client.command(rest[0], rest.slice(1)));
  },
  async shell() {
    const lab = await api.loadLab(name);
    run(await lab.vps.enterCommand(['/bin/bash', '-l'], { TERM: process.env.TERM ?? 'dumb' }));
  },
  async status() {
    for (const known of await api.listLabs()) print(`${known.name}: ${known.ready ? 'running' : 'broken'}`);
    describe(await api.loadLab(name));
  },
  reboot: async () => (await api.loadLab(name)).vps.reboot(),
  async cut() {
    const lab = await api.loadLab(name);
    await lab.vps.powerCut();
    await lab.vps.start();
  },
  save: async () => (await api.loadLab(name)).vps.saveLayer(rest[0]),
  down: () => api.destroyLab(name),
  async help() {
    print(
      'usage: node scripts/lab.mjs up|exec|client|shell|status|reboot|cut|save|down NAME (see the top of the file)',
    );
  },
};

try {
  await (commands[command] ?? commands.help)();
} catch (error) {
  print(`${error.code ?? error.name}: ${error.message}`);
  for (const line of [...(error.evidence ?? []), ...(error.fix ?? [])]) print(`  ${line}`);
  if (error.code === undefined) print(error.stack);
  process.exitCode = 1;
}
