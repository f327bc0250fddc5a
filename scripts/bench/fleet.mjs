import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parse, stringify } from 'yaml';
import { importSource } from '../import-source.mjs';
import { root } from './table.mjs';

const count = 20;
const rtt = 100;
const goal = 2.5;
const rounds = 3;

/**
 * `plan` of 20 servers, each with a zone of its own and nothing to change, beside that of one of them. One server is real;
 * the others are stand-ins (fleet-program.mjs) that say what it said, under names and addresses of their own.
 */
export async function run() {
  const { openProvisioned } = await importSource('test/helpers/world.ts');
  const world = await openProvisioned('bench-fleet');
  let program;
  try {
    const { rehearsal, lab } = world;
    await must(world.cli(rehearsal.initArguments));
    const files = await readManaged(lab.vps);
    const label = lab.domain.split('.')[0];
    const servers = Array.from({ length: count }, (_, index) => standIn(lab, label, index + 1, files));
    for (const server of servers) await announce(world, server);
    await lab.resolverHost.flush();
    program = await startProgram(world, servers);
    await writeConfig(world, servers, program.fingerprint);
    const plan = (...more) =>
      world.cli([
        ...['plan', '--exit-code', '--config', rehearsal.configFile, '--resolver', lab.resolver],
        ...['--acme-directory', lab.acme.directory, '--acme-ca', lab.acme.caFile],
        ...more,
      ]);
    /** Seconds; `--exit-code` makes a plan that is not empty a failure. */
    const time = async (...more) => {
      const begin = performance.now();
      await must(plan(...more));
      return (performance.now() - begin) / 1000;
    };
    const all = ['--parallel', String(count)];
    const one = ['--server', `mail.${servers[0].domain}`];
    // Each question is put to the real server and to the resolver once, before anything is measured.
    await plan(...all);
    await plan(...one);
    const singles = [];
    const fleets = [];
    for (let round = 0; round < rounds; round += 1) {
      singles.push(await time(...one));
      fleets.push(await time(...all));
    }
    const [single, fleet] = [Math.min(...singles), Math.min(...fleets)];
    return [
      {
        what: `plan of ${count} servers with nothing to change, beside that of one`,
        figure: `${(fleet / single).toFixed(2)} x`,
        goal: `<= ${goal} x`,
        detail: `${fleet.toFixed(2)} s beside ${single.toFixed(2)} s, ${rtt} ms round-trip time, --parallel ${count}, best of ${rounds}`,
        ok: fleet <= goal * single,
      },
    ];
  } finally {
    program?.end();
    await world.lab.down();
  }
}

/** Every file that `init` wrote, by path. */
async function readManaged(vps) {
  const manifest = JSON.parse((await must(vps.exec('cat /var/lib/smtp-setup/manifest.json'))).stdout);
  const files = new Map();
  for (const { path } of manifest.files)
    files.set(
      path,
      Buffer.from((await must(vps.exec(`base64 -w0 ${path}`))).stdout, 'base64').toString('latin1'),
    );
  return files;
}

const digest = (text) => createHash('sha256').update(Buffer.from(text, 'latin1')).digest('hex');

/** Names of the same length, so that nothing is rendered differently because of it. */
function standIn(lab, label, number, files) {
  const own = `${label.slice(0, -2)}${String(number).padStart(2, '0')}`;
  const domain = lab.domain.replace(label, own);
  const [address, address6] = [`198.51.100.${100 + number}`, `2001:db8::${100 + number}`];
  const names = [
    [label, own],
    [lab.vps.ipv4, address],
    [lab.vps.ipv6, address6],
  ];
  const inName = (text) => text.replaceAll(label, own);
  const hashes = [...files.values()]
    .filter((text) => text.includes(label))
    .map((text) => [digest(text), digest(inName(text))]);
  const policy = [...files].find(([path]) => path.endsWith('/mta-sts.txt'))?.[1] ?? '';
  const policyIds = [[digest(policy).slice(0, 32), digest(inName(policy)).slice(0, 32)]];
  return { domain, address, address6, words: [...names, ...hashes, ...policyIds], inName };
}

/** Its zone as the real one has it, its addresses with their reverse names. */
async function announce({ lab, rehearsal }, { domain, address, address6, words }) {
  const nameServers = ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'];
  await lab.dns.addZone(domain, { nameServers });
  const { control } = rehearsal.cloudflare;
  await control.addZone({ name: domain, nameServers });
  for (const { type, name, content, priority, data, ttl } of await control.records(lab.domain)) {
    const record = { type, name, content, ttl, ...(priority === undefined ? {} : { priority }), data };
    await control.seed(domain, JSON.parse(rename(JSON.stringify(record), words)));
  }
  for (const one of [address, address6]) {
    await lab.dns.setPtr(one, `mail.${domain}.`);
    const prefix = one.includes(':') ? `${one}/128` : `${one}/32`;
    await must(lab.client.exec('ip', ['addr', 'add', prefix, 'dev', 'lo']));
  }
}

function rename(text, words) {
  return words.reduce((now, [theirs, ours]) => now.replaceAll(theirs, ours), text);
}

async function startProgram({ lab, rehearsal }, servers) {
  const order = join(rehearsal.home, 'fleet.json');
  const upstream = { host: lab.vps.ipv4, username: 'root', keyFile: lab.vps.sshKeyFile };
  await writeFile(order, JSON.stringify({ servers, upstream, rtt }));
  const child = lab.client.spawn(
    process.execPath,
    [join(root, 'scripts/bench/fleet-program.mjs'), order],
    process.env,
  );
  child.stderr?.pipe(process.stderr);
  const fingerprint = await new Promise((resolve, reject) => {
    child.stdout?.once('data', (chunk) => resolve(String(chunk).trim()));
    child.once('close', (code) => reject(new Error(`the stand-ins ended (${code})`)));
  });
  return { fingerprint, end: () => child.kill() };
}

/** What `init` made for the real server, once for each of the others. */
async function writeConfig({ lab, rehearsal }, servers, fingerprint) {
  const lockFile = rehearsal.configFile.replace(/\.yaml$/, '.lock.json');
  const config = parse(await readFile(rehearsal.configFile, 'utf8'));
  const lock = JSON.parse(await readFile(lockFile, 'utf8'));
  const merged = { ...config, servers: {}, domains: {} };
  const mergedLock = { ...lock, servers: {}, domains: {}, ...(lock.tlsa ? { tlsa: {} } : {}) };
  for (const { domain, address, words } of servers) {
    const host = `mail.${domain}`;
    merged.servers[host] = {
      ...config.servers[rehearsal.hostname],
      ssh: `root@${address}`,
      identity: lab.vps.sshKeyFile,
      hostKey: fingerprint,
    };
    merged.domains[domain] = { ...config.domains[lab.domain], server: host };
    const own = JSON.parse(rename(JSON.stringify(lock), words));
    for (const part of ['servers', 'domains', 'tlsa']) Object.assign(mergedLock[part] ?? {}, own[part]);
  }
  await writeFile(rehearsal.configFile, stringify(merged));
  await writeFile(lockFile, JSON.stringify(mergedLock));
}

async function must(result) {
  const done = await result;
  if (done.code !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
  return done;
}
