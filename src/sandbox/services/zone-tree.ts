import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Exit, SetupError } from '../../errors.js';
import { HOSTS } from '../layout.js';
import { type LabHost, openHost } from '../machine/host.js';
import { waitUntil } from '../machine/wait-until.js';
import { commandFailed } from '../run.js';
import { type LabState, readLabState, updateLabState } from '../state.js';
import {
  KNOT_DIR,
  KNOT_PROGRAM,
  renderKnotConfig,
  TSIG_ALGORITHM,
  TSIG_NAME,
  zoneFileName,
} from './knot-config.js';
import {
  enclosingZone,
  hostRecords,
  LAB_NAME_SERVERS,
  prerequisitesOf,
  renderDelegation,
  renderZoneFile,
  type Zone,
} from './zone.js';

/** Loads new zones, waits until they are signed and served, and delegates each from its parent. */
export async function addZones(lab: string, wanted: readonly Zone[]): Promise<void> {
  const before = await requireState(lab);
  const known = new Set(before.zones.map((zone) => zone.name));
  const added: Zone[] = [];
  for (const zone of wanted) {
    requireZoneName(zone.name);
    for (const name of prerequisitesOf(zone)) push({ name, nameServers: LAB_NAME_SERVERS, signed: true });
    push(zone);
  }
  function push(zone: Zone): void {
    if (!known.has(zone.name)) added.push(zone);
    known.add(zone.name);
  }
  if (added.length === 0) return;
  const state = await updateLabState(lab, (current) => ({ ...current, zones: [...current.zones, ...added] }));
  const host = openHost(state, 'dns', HOSTS.dns, KNOT_PROGRAM);
  await writeZones(host.root, state, added);
  const reloaded = async () => (await knotc(host, ['reload'])).code === 0;
  await waitUntil(reloaded, {
    what: 'knotd to load its zones',
    timeoutMs: 120_000,
    evidence: () => host.tail(),
  });
  for (const zone of added) await waitForZone(host, zone);

  const names = state.zones.map((zone) => zone.name);
  const ds = await readDs(host, added);
  const updates = new Map<string, string[]>();
  const add = (owner: string, records: readonly string[]): void => {
    const parent = enclosingZone(owner, names);
    updates.set(parent, [...(updates.get(parent) ?? []), ...records.map((record) => `add ${record}`)]);
  };
  for (const zone of added) {
    if (zone.name === '.') continue;
    add(zone.name, [...renderDelegation(zone, state.ipv6), ...(ds.get(zone.name) ?? [])]);
    for (const server of zone.nameServers) {
      if (server.endsWith(`.${zone.name}`) || server.endsWith('.dns.test.')) continue;
      add(server, hostRecords(server, 'dns', state.ipv6));
    }
  }
  await sendUpdates(state, host, updates);
}

/** Sends one dynamic update (RFC 2136) a zone, in nsupdate(1) lines without `update`. */
export async function sendUpdates(
  state: LabState,
  host: LabHost,
  updates: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const script = [`server ${host.ipv4}`, `key ${TSIG_ALGORITHM}:${TSIG_NAME} ${state.tsigSecret}`];
  for (const [zone, lines] of updates) {
    script.push(`zone ${zone}`, ...lines.map((line) => `update ${line}`), 'send');
  }
  const result = await host.exec(['nsupdate', '-t', '20'], { input: `${script.join('\n')}\n` });
  if (result.code !== 0) throw commandFailed(['nsupdate', ...[...updates.values()].flat()], result);
}

function knotc(host: LabHost, args: readonly string[]) {
  return host.exec(['knotc', '-c', `${KNOT_DIR}/knot.conf`, ...args]);
}

async function waitForZone(host: LabHost, zone: Zone): Promise<void> {
  await waitUntil(
    async () => {
      const type = zone.signed ? 'DNSKEY' : 'SOA';
      const answer = await host.exec([
        'kdig',
        `@${host.ipv4}`,
        '+short',
        '+time=2',
        '+retry=0',
        zone.name,
        type,
      ]);
      return answer.code === 0 && answer.stdout.trim() !== '';
    },
    { what: `the DNS zone ${zone.name}`, timeoutMs: 120_000, intervalMs: 50, evidence: () => host.tail() },
  );
}

async function readDs(host: LabHost, zones: readonly Zone[]): Promise<Map<string, string[]>> {
  const signed = zones.filter((zone) => zone.signed && zone.name !== '.').map((zone) => zone.name);
  const script = `for zone; do keymgr -c ${KNOT_DIR}/knot.conf "$zone" ds || exit; done`;
  const result = await host.exec(['sh', '-c', script, 'sh', ...signed]);
  if (result.code !== 0) throw commandFailed(['keymgr', 'ds', ...signed], result);
  // Digest type 2 (SHA-256) is the one every validator knows (RFC 8624 section 3.3).
  const found = [...result.stdout.matchAll(/^(\S+) DS (\d+ \d+ 2 [0-9a-f]+)$/gim)];
  const records = new Map(found.map(([, zone = '', data]) => [zone, [`${zone} 300 DS ${data}`]]));
  const missing = signed.filter((zone) => !records.has(zone));
  if (missing.length > 0) throw commandFailed(['keymgr', 'ds', ...missing], result);
  return records;
}

export async function writeZones(root: string, state: LabState, added: readonly Zone[]): Promise<void> {
  for (const zone of added) {
    await writeFile(join(root, KNOT_DIR, 'zones', zoneFileName(zone.name)), renderZoneFile(zone, state.ipv6));
  }
  await writeFile(join(root, KNOT_DIR, 'knot.conf'), renderKnotConfig(state), { mode: 0o600 });
}

function requireZoneName(name: string): void {
  if (name === '.' || /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.){1,40}$/.test(name)) return;
  throw new SetupError({
    code: 'E_SANDBOX_ZONE',
    exit: Exit.usage,
    what: 'This is not the name of a DNS zone.',
    evidence: [`got ${JSON.stringify(name.slice(0, 100))}`],
    fix: ['Use ASCII (punycode) labels separated by dots.'],
  });
}

async function requireState(lab: string): Promise<LabState> {
  const state = await readLabState(lab);
  if (state === undefined) throw new Error(`the sandbox ${lab} is gone`);
  return state;
}
