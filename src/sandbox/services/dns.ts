import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HOSTS, IPV4_REVERSE_ZONE, IPV6_REVERSE_ZONE, labDir, reverseName } from '../layout.js';
import { createServiceHost, type LabHost, openHost } from '../machine/host.js';
import { commandFailed } from '../run.js';
import { type LabState, readLabState } from '../state.js';
import { KNOT_DIR, KNOT_PROGRAM, parseZoneRead, TSIG_ALGORITHM, TSIG_NAME } from './knot-config.js';
import { absolute, enclosingZone, LAB_NAME_SERVERS, type Zone } from './zone.js';
import { addZones, sendUpdates, writeZones } from './zone-tree.js';

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
  const host = openHost(state, 'dns', HOSTS.dns, KNOT_PROGRAM);
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
      const result = await host.exec(['knotc', '-c', `${KNOT_DIR}/knot.conf`, 'zone-read', absolute(zone)]);
      if (result.code !== 0) throw commandFailed(['knotc', 'zone-read', zone], result);
      return parseZoneRead(result.stdout);
    },
  };
}

function enclosingOrSame(name: string, zones: readonly string[]): string {
  return zones.includes(name) ? name : enclosingZone(name, zones);
}

/** Starts the server with the zones every lab has and the user's domain. Writes the trust anchor. */
export async function startDns(state: LabState, domainServers: readonly string[]): Promise<LabDns> {
  const plain = (name: string): Zone => ({ name, nameServers: LAB_NAME_SERVERS, signed: true });
  const reverse = [IPV4_REVERSE_ZONE, ...(state.ipv6 ? [IPV6_REVERSE_ZONE] : [])];
  const host = await createServiceHost(state, 'dns', HOSTS.dns, KNOT_PROGRAM, async (root) => {
    await mkdir(join(root, KNOT_DIR, 'zones'), { recursive: true });
    await mkdir(join(root, KNOT_DIR, 'db'), { recursive: true });
    await writeZones(root, state, []);
  });
  await host.start();
  const domain: Zone = {
    name: absolute(state.domain),
    nameServers: domainServers.map(absolute),
    signed: true,
  };
  await addZones(state.name, [plain('.'), plain('test.'), ...reverse.map(plain), domain]);
  const key = await host.exec(['keymgr', '-c', `${KNOT_DIR}/knot.conf`, '.', 'dnskey']);
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
