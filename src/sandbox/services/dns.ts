import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Exit, SetupError } from '../../errors.js';
import { HOSTS, IPV4_REVERSE_ZONE, IPV6_REVERSE_ZONE, labDir, reverseName } from '../layout.js';
import { createServiceHost, type HostProgram, type LabHost, openHost } from '../machine/host.js';
import { waitUntil } from '../machine/wait-until.js';
import { commandFailed } from '../run.js';
import { type LabState, readLabState, updateLabState } from '../state.js';
import {
  absolute,
  enclosingZone,
  hostRecords,
  LAB_NAME_SERVERS,
  prerequisitesOf,
  renderDelegation,
  renderZoneFile,
  type Zone,
} from './zone.js';

export const TSIG_NAME = 'sandbox.';
export const TSIG_ALGORITHM = 'hmac-sha256';
const DIRECTORY = '/lab';
const PROGRAM: HostProgram = { kind: 'container', argv: ['knotd', '-c', `${DIRECTORY}/knot.conf`] };

export interface AddZoneOptions {
  /** Names of its authoritative servers; all lead to the lab's one server. Default: ns1 and ns2.dns.test. */
  nameServers?: readonly string[];
  /** Default true; false makes an insecure delegation. */
  signed?: boolean;
  /** Records in zone-file form with fully qualified names. */
  records?: readonly string[];
}

/** The authoritative side of the lab's DNS: a signed tree from the root down, in one real server. */
export interface LabDns {
  readonly host: LabHost;
  /** Key that may update and transfer every zone (RFC 8945). */
  readonly tsig: { name: string; algorithm: string; secret: string };
  /** File with the root zone's DNSKEY record: the trust anchor of this Internet. */
  readonly trustAnchorFile: string;
  zones(): Promise<string[]>;
  /** Adds a zone, with its top-level domain where that is missing, and the chain of trust down to it. */
  addZone(name: string, options?: AddZoneOptions): Promise<void>;
  /** One dynamic update (RFC 2136) in nsupdate(1) lines without `update`, such as `add www.example.test. 300 A 192.0.2.1`. */
  update(zone: string, lines: readonly string[]): Promise<void>;
  /** Replaces one record set; no data deletes it. */
  setRecords(name: string, type: string, data: readonly string[], ttl?: number): Promise<void>;
  /** Sets (or with undefined removes) the host name of an address of this lab. */
  setPtr(ip: string, target: string | undefined): Promise<void>;
  /** The zone's records as the server holds them, without DNSSEC's, one a line: `name ttl type data`. */
  readZone(zone: string): Promise<string[]>;
}

export function newTsigSecret(): string {
  return randomBytes(32).toString('base64');
}

export function openDns(state: LabState): LabDns {
  const host = openHost(state, 'dns', HOSTS.dns, PROGRAM);
  const zones = async () => ((await readLabState(state.name)) ?? state).zones.map((zone) => zone.name);

  const update = (zone: string, lines: readonly string[]) =>
    sendUpdates(state, host, new Map([[absolute(zone), lines]]));
  const zoneOf = async (name: string) => enclosingOrSame(absolute(name), await zones());

  const setRecords: LabDns['setRecords'] = async (name, type, data, ttl = 300) => {
    const owner = absolute(name);
    const added = data.map((value) => `add ${owner} ${ttl} ${type} ${value}`);
    await update(await zoneOf(owner), [`delete ${owner} ${type}`, ...added]);
  };

  return {
    host,
    tsig: { name: TSIG_NAME, algorithm: TSIG_ALGORITHM, secret: state.tsigSecret },
    trustAnchorFile: trustAnchorFile(state.name),
    zones,
    update,
    setRecords,
    addZone: async (name, options = {}) => {
      const zone: Zone = {
        name: absolute(name),
        nameServers: (options.nameServers ?? LAB_NAME_SERVERS).map(absolute),
        signed: options.signed ?? true,
      };
      await addZones(state.name, [zone]);
      const records = options.records ?? [];
      if (records.length > 0)
        await update(
          zone.name,
          records.map((record) => `add ${record}`),
        );
    },
    setPtr: (ip, target) =>
      setRecords(reverseName(ip), 'PTR', target === undefined ? [] : [absolute(target)]),
    readZone: async (zone) => {
      const result = await host.exec(['knotc', '-c', `${DIRECTORY}/knot.conf`, 'zone-read', absolute(zone)]);
      if (result.code !== 0) throw commandFailed(['knotc', 'zone-read', zone], result);
      return parseZoneRead(result.stdout);
    },
  };
}

const DNSSEC_TYPES = /^(RRSIG|NSEC|NSEC3|NSEC3PARAM|DNSKEY|CDS|CDNSKEY)$/;

/** Parses the output of `knotc zone-read`: `[zone] name ttl type data`. */
export function parseZoneRead(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\[[^\]]*\] (\S+ \d+ (\S+) .*)$/.exec(line);
    return match === null || DNSSEC_TYPES.test(match[2] ?? '') ? [] : [match[1] ?? ''];
  });
}

function enclosingOrSame(name: string, zones: readonly string[]): string {
  return zones.includes(name) ? name : enclosingZone(name, zones);
}

/** Starts the server with the zones every lab has and the user's domain. Writes the trust anchor. */
export async function startDns(state: LabState, domainServers: readonly string[]): Promise<LabDns> {
  const plain = (name: string): Zone => ({ name, nameServers: LAB_NAME_SERVERS, signed: true });
  const reverse = [IPV4_REVERSE_ZONE, ...(state.ipv6 ? [IPV6_REVERSE_ZONE] : [])];
  const host = await createServiceHost(state, 'dns', HOSTS.dns, PROGRAM, async (root) => {
    await mkdir(join(root, DIRECTORY, 'zones'), { recursive: true });
    await mkdir(join(root, DIRECTORY, 'db'), { recursive: true });
    await writeZones(root, state, []);
  });
  await host.start();
  const domain: Zone = {
    name: absolute(state.domain),
    nameServers: domainServers.map(absolute),
    signed: true,
  };
  await addZones(state.name, [plain('.'), plain('test.'), ...reverse.map(plain), domain]);
  const key = await host.exec(['keymgr', '-c', `${DIRECTORY}/knot.conf`, '.', 'dnskey']);
  const line = key.stdout.split('\n').find((text) => text.includes('DNSKEY'));
  if (line === undefined) throw commandFailed(['keymgr', '.', 'dnskey'], key);
  await writeFile(
    trustAnchorFile(state.name),
    `${line.replace(/^\. (?:\d+ )?(?:IN )?DNSKEY/, '. IN DNSKEY')}\n`,
  );
  return openDns(state);
}

export function trustAnchorFile(lab: string): string {
  return join(labDir(lab), 'root.key');
}

/** Loads new zones, waits until they are signed and served, and delegates each from its parent. */
async function addZones(lab: string, wanted: readonly Zone[]): Promise<void> {
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
  const { host } = openDns(state);
  await writeZones(host.root, state, added);
  const reloaded = async () => (await knotc(host, ['reload'])).code === 0;
  await waitUntil(reloaded, {
    what: 'knotd to load its zones',
    timeoutMs: 20_000,
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

async function sendUpdates(
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
  return host.exec(['knotc', '-c', `${DIRECTORY}/knot.conf`, ...args]);
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
    { what: `the DNS zone ${zone.name}`, timeoutMs: 30_000, intervalMs: 50, evidence: () => host.tail() },
  );
}

async function readDs(host: LabHost, zones: readonly Zone[]): Promise<Map<string, string[]>> {
  const signed = zones.filter((zone) => zone.signed && zone.name !== '.').map((zone) => zone.name);
  const script = `for zone; do keymgr -c ${DIRECTORY}/knot.conf "$zone" ds || exit; done`;
  const result = await host.exec(['sh', '-c', script, 'sh', ...signed]);
  if (result.code !== 0) throw commandFailed(['keymgr', 'ds', ...signed], result);
  // Digest type 2 (SHA-256) is the one every validator knows (RFC 8624 section 3.3).
  const found = [...result.stdout.matchAll(/^(\S+) DS (\d+ \d+ 2 [0-9a-f]+)$/gim)];
  return new Map(
    signed.map((zone) => [
      zone,
      found.flatMap(([, name, data]) => (name === zone ? [`${zone} 300 DS ${data}`] : [])),
    ]),
  );
}

async function writeZones(root: string, state: LabState, added: readonly Zone[]): Promise<void> {
  for (const zone of added) {
    await writeFile(
      join(root, DIRECTORY, 'zones', zoneFileName(zone.name)),
      renderZoneFile(zone, state.ipv6),
    );
  }
  await writeFile(join(root, DIRECTORY, 'knot.conf'), renderKnotConfig(state), { mode: 0o600 });
}

function zoneFileName(zone: string): string {
  return zone === '.' ? 'root.zone' : `${zone}zone`;
}

/** knot.conf(5) for Knot DNS 3.2. */
export function renderKnotConfig(state: Pick<LabState, 'zones' | 'tsigSecret'>): string {
  const zones = state.zones.flatMap((zone) => [
    `  - domain: ${zone.name}`,
    `    file: ${zoneFileName(zone.name)}`,
    ...(zone.signed ? ['    dnssec-signing: on', '    dnssec-policy: lab'] : []),
  ]);
  return `${[
    'server:',
    `    rundir: ${DIRECTORY}`,
    '    listen: [0.0.0.0@53, "::@53"]',
    'log:',
    '  - target: stderr',
    '    any: warning',
    'database:',
    `    storage: ${DIRECTORY}/db`,
    'key:',
    `  - id: ${TSIG_NAME}`,
    `    algorithm: ${TSIG_ALGORITHM}`,
    `    secret: ${state.tsigSecret}`,
    'acl:',
    '  - id: lab',
    `    key: ${TSIG_NAME}`,
    '    action: [update, transfer]',
    'policy:',
    '  - id: lab',
    '    algorithm: ecdsap256sha256',
    '    single-type-signing: on',
    // A real provider's zone shows no CDS records during a key's first hours; keep them out of listings.
    '    cds-cdnskey-publish: none',
    'template:',
    '  - id: default',
    `    storage: ${DIRECTORY}/zones`,
    '    acl: lab',
    '    zonefile-sync: -1',
    '    zonefile-load: difference-no-serial',
    '    journal-content: all',
    ...(zones.length === 0 ? [] : ['zone:', ...zones]),
  ].join('\n')}\n`;
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
