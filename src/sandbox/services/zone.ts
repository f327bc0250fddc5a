import { addressOf, HOSTS, type HostAddress } from '../layout.js';

/** A zone of the private DNS tree. Names are fully qualified, with the final dot, in lower case. */
export interface Zone {
  name: string;
  nameServers: readonly string[];
  /** False: unsigned, and delegated without DS (an insecure delegation). */
  signed: boolean;
}

export const LAB_NAME_SERVERS = ['ns1.dns.test.', 'ns2.dns.test.'] as const;

export function absolute(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower : `${lower}.`;
}

/** The closest enclosing zone of a name among those given; the root zone encloses everything. */
export function enclosingZone(name: string, zones: readonly string[]): string {
  const inside = zones.filter((zone) => zone !== name && (zone === '.' || name.endsWith(`.${zone}`)));
  return inside.reduce((best, zone) => (zone.length > best.length ? zone : best), '.');
}

/**
 * The zones that have to exist before a zone can be added: its top-level domain (reverse zones hang on the root
 * directly), and the homes of its name servers with theirs.
 */
export function prerequisitesOf(zone: Zone): string[] {
  const homes = zone.nameServers.filter((host) => !host.endsWith(`.${zone.name}`)).map(registrable);
  const forward = zone.name.endsWith('.arpa.') ? [] : [topLevel(zone.name)];
  const all = [...forward, ...homes.flatMap((home) => [topLevel(home), home])];
  return [...new Set(all)].filter((name) => name !== zone.name && name !== '.' && !isLabName(name));
}

// ns1.dns.test lives in the zone test., which every lab has.
function isLabName(name: string): boolean {
  return name === 'dns.test.';
}

function topLevel(name: string): string {
  return `${name.split('.').at(-2) ?? ''}.`;
}

function registrable(host: string): string {
  return `${host.split('.').slice(-3, -1).join('.')}.`;
}

/** The records with which a zone starts, in zone-file form (RFC 1035 section 5). */
export function renderZoneFile(zone: Zone, ipv6: boolean): string {
  const [primary = LAB_NAME_SERVERS[0]] = zone.nameServers;
  const lines = [
    `${zone.name} 60 SOA ${primary} hostmaster.${zone.name === '.' ? 'test.' : zone.name} 1 3600 600 86400 1`,
    ...zone.nameServers.map((host) => `${zone.name} 300 NS ${host}`),
    ...zone.nameServers
      .filter((host) => host.endsWith(`.${zone.name}`))
      .flatMap((host) => hostRecords(host, 'dns', ipv6)),
  ];
  if (zone.name === 'test.') {
    lines.push(...hostRecords('acme.test.', 'acme', ipv6), ...hostRecords('api.test.', 'api', ipv6));
  }
  return `${lines.join('\n')}\n`;
}

/** NS records and glue that the parent of a zone needs (DS records come from the running server). */
export function renderDelegation(zone: Zone, ipv6: boolean): string[] {
  return [
    ...zone.nameServers.map((host) => `${zone.name} 300 NS ${host}`),
    ...zone.nameServers
      .filter((host) => host.endsWith(`.${zone.name}`))
      .flatMap((host) => hostRecords(host, 'dns', ipv6)),
  ];
}

export function hostRecords(name: string, host: keyof typeof HOSTS, ipv6: boolean): string[] {
  return addressRecords(name, addressOf(HOSTS[host], ipv6));
}

export function addressRecords(name: string, address: HostAddress): string[] {
  const records = [`${name} 300 A ${address.ipv4}`];
  if (address.ipv6 !== undefined) records.push(`${name} 300 AAAA ${address.ipv6}`);
  return records;
}
