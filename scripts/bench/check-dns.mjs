import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { importSource } from '../import-source.mjs';
import { printRows } from './table.mjs';

/** Milliseconds to every server and back. */
const roundTrip = 50;
const rounds = 7;
const goal = 6;
const ports = { dns: 5301, resolver: 5302 };

/**
 * `check dns` of a healthy domain, every server 50 ms away, beside the same questions asked one by one with dig. Real
 * servers and a real validating resolver; a forwarder in the client's network makes the way to them longer.
 */
export async function run() {
  const { createLab, cacheDirFrom } = await importSource('src/sandbox/index.ts');
  const lab = await createLab({
    name: 'bench-dns',
    cacheDir: cacheDirFrom(process.env),
    ipv6: false,
    services: ['dns', 'resolver'],
  });
  try {
    const program = await bundleProgram(lab);
    const target = await publish(lab);
    const near = await measure(lab, program, target);
    const forwarder = await lengthen(lab, program);
    try {
      const far = await measure(lab, program, target);
      return describe(near, far, timeDig(lab, far.questions));
    } finally {
      forwarder.kill();
    }
  } finally {
    await lab.down();
  }
}

function describe(near, far, dig) {
  const trips = (ms) => (ms / roundTrip).toFixed(1);
  return [
    {
      what: `check dns of a healthy domain, ${roundTrip} ms to every server`,
      figure: `${trips(far.ms)} round trips`,
      goal: `<= ${goal}`,
      detail: `${far.ms.toFixed(0)} ms, best of ${rounds}: ${far.count} results from ${far.questions.length} questions, ${far.cpu.toFixed(0)} ms of CPU; ${near.ms.toFixed(0)} ms with the servers next door`,
      ok: far.ms <= goal * roundTrip,
    },
    {
      what: 'The same questions one by one with dig',
      figure: `${trips(dig)} round trips`,
      detail: `${dig.toFixed(0)} ms, ${(dig / far.ms).toFixed(0)} times as long`,
    },
  ];
}

async function bundleProgram(lab) {
  const outfile = join(lab.directory, 'check-dns-program.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('check-dns-program.mjs', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
  return outfile;
}

/** The records that an `init` of the domain would leave behind; returns the check's target. */
async function publish(lab) {
  const { intendDns } = await importSource('src/pipeline/desired-dns.ts');
  const { configSchema } = await importSource('src/config/schema.ts');
  const { formatData } = await importSource('src/dns/canonical.ts');
  const hostname = `mail.${lab.domain}`;
  const config = configSchema.parse({
    version: 1,
    servers: { [hostname]: { ssh: `root@${lab.vps.ipv4}` } },
    domains: { [lab.domain]: { dns: 'cloudflare', dmarc: { rua: [`postmaster@${lab.domain}`] } } },
  });
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = {
    selector: 's202611',
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
  const addresses = { ipv4: lab.vps.ipv4 };
  const lock = { version: 1, servers: {}, domains: {} };
  const { desired } = intendDns(config, lock, hostname, addresses, new Map([[lab.domain, [key]]]), []);
  const sets = new Map();
  for (const { name, data } of desired) {
    const set = `${name} ${data.type}`;
    sets.set(set, [...(sets.get(set) ?? []), formatData(data)]);
  }
  for (const [set, values] of sets) await lab.dns.setRecords(...set.split(' '), values);
  await lab.dns.setPtr(lab.vps.ipv4, hostname);
  return {
    domain: lab.domain,
    host: hostname,
    addresses: [lab.vps.ipv4],
    mail: 'full',
    expected: desired,
    selectors: [],
    issuer: 'letsencrypt.org',
  };
}

/** The best of some rounds: the machine's other work only ever adds. The first one fills the resolver's cache. */
async function measure(lab, program, target) {
  const order = JSON.stringify({ resolver: lab.resolver, target });
  let best;
  for (let round = 0; round <= rounds; round += 1) {
    const { code, stdout, stderr } = await lab.client.exec(process.execPath, [program, 'check', order]);
    if (code !== 0) throw new Error(stderr);
    const result = JSON.parse(stdout);
    const bad = result.bad.map(({ id, message }) => `${id}: ${message}`);
    if (bad.length > 0) throw new Error(`the domain is not healthy: ${bad.join('; ')}`);
    if (round > 0 && (best === undefined || result.ms < best.ms)) best = result;
  }
  return best;
}

/** From now on every question of the client takes the round-trip time. */
async function lengthen(lab, program) {
  const servers = { dns: lab.dns.host.ipv4, resolver: lab.resolver };
  const half = roundTrip / 2;
  const targets = Object.entries(servers).map(([name, target]) => ({ port: ports[name], target, half }));
  const order = JSON.stringify({ targets });
  const [command, ...args] = lab.client.command(process.execPath, [program, 'forward', order]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the forwarder ended (${code})`)));
  });
  const rules = targets.flatMap(({ port, target }) =>
    ['udp', 'tcp'].map(
      (kind) => `meta skuid != 65534 ip daddr ${target} ${kind} dport 53 redirect to :${port}`,
    ),
  );
  const table = [
    'table ip bench {',
    'chain out {',
    'type nat hook output priority -100;',
    ...rules,
    '}',
    '}',
  ];
  const loaded = spawnSync('ip', ['netns', 'exec', lab.client.namespace, 'nft', '-f', '-'], {
    input: `${table.join('\n')}\n`,
    encoding: 'utf8',
  });
  if (loaded.status !== 0) throw new Error(loaded.stderr);
  return child;
}

/** Milliseconds of asking the same servers the same questions, one after the other. */
function timeDig(lab, questions) {
  const lines = questions.map(({ server, name, type, recursion, tcp }) => {
    const flags = [...(recursion ? [] : ['+norecurse']), ...(tcp ? ['+tcp'] : []), '+tries=1'];
    return `dig @${server} ${flags.join(' ')} -q '${name || '.'}' -t ${type} >/dev/null`;
  });
  const before = performance.now();
  spawnSync('ip', ['netns', 'exec', lab.client.namespace, 'sh', '-s'], { input: lines.join('\n') });
  return performance.now() - before;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) printRows(await run());
