import type { HostProgram } from '../machine/host.js';
import type { Zone } from './zone.js';

export const TSIG_NAME = 'sandbox.';
export const TSIG_ALGORITHM = 'hmac-sha256';
export const KNOT_DIR = '/lab';
export const KNOT_PROGRAM: HostProgram = {
  kind: 'container',
  argv: ['knotd', '-c', `${KNOT_DIR}/knot.conf`],
};

const DNSSEC_TYPES = /^(RRSIG|NSEC|NSEC3|NSEC3PARAM|DNSKEY|CDS|CDNSKEY)$/;

/** Parses the output of `knotc zone-read`: `[zone] name ttl type data`. */
export function parseZoneRead(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\[[^\]]*\] (\S+ \d+ (\S+) .*)$/.exec(line);
    return match === null || DNSSEC_TYPES.test(match[2] ?? '') ? [] : [match[1] ?? ''];
  });
}

export function zoneFileName(zone: string): string {
  return zone === '.' ? 'root.zone' : `${zone}zone`;
}

/** knot.conf(5) for Knot DNS 3.2. */
export function renderKnotConfig(state: { zones: readonly Zone[]; tsigSecret: string }): string {
  const zones = state.zones.flatMap((zone) => [
    `  - domain: ${zone.name}`,
    `    file: ${zoneFileName(zone.name)}`,
    ...(zone.signed ? ['    dnssec-signing: on', '    dnssec-policy: lab'] : []),
  ]);
  return `${[
    'server:',
    `    rundir: ${KNOT_DIR}`,
    '    listen: [0.0.0.0@53, "::@53"]',
    'log:',
    '  - target: stderr',
    '    any: warning',
    'database:',
    `    storage: ${KNOT_DIR}/db`,
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
    `    storage: ${KNOT_DIR}/zones`,
    '    acl: lab',
    '    zonefile-sync: -1',
    '    zonefile-load: difference-no-serial',
    '    journal-content: all',
    ...(zones.length === 0 ? [] : ['zone:', ...zones]),
  ].join('\n')}\n`;
}
