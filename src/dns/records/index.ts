import type { DesiredRecord } from '../record.js';
import { addressRecords } from './address.js';
import { autoconfigRecords } from './autoconfig.js';
import { caaRecords, domainCaaRecords } from './caa.js';
import { dkimRecords } from './dkim.js';
import { dmarcRecords, dmarcReportRecords } from './dmarc.js';
import type { DomainInput, HostInput, RecordsInput } from './input.js';
import { mtaStsRecords } from './mta-sts.js';
import { mxRecords } from './mx.js';
import { parkedRecords } from './parked.js';
import { hostSpfRecords, spfRecords } from './spf.js';
import { srvRecords } from './srv.js';
import { tlsRptRecords } from './tls-rpt.js';
import { tlsaRecords } from './tlsa.js';

/** The registry: a kind of record is one file and one line here. */
const hostKinds: readonly ((host: HostInput) => DesiredRecord[])[] = [
  addressRecords,
  hostSpfRecords,
  caaRecords,
  tlsaRecords,
];
const domainKinds: readonly ((domain: DomainInput, all: readonly DomainInput[]) => DesiredRecord[])[] = [
  spfRecords,
  dkimRecords,
  dmarcRecords,
  dmarcReportRecords,
  mxRecords,
  mtaStsRecords,
  tlsRptRecords,
  srvRecords,
  autoconfigRecords,
  domainCaaRecords,
];

const selected =
  (choice: Readonly<Record<string, boolean>> | undefined) =>
  (record: DesiredRecord): boolean =>
    choice?.[record.role] !== false;

/**
 * What should stand in DNS, for all hosts and domains of the input, before the merge with what already stands there.
 * Pure: never depends on the clock (A5). Records outside a zone are the caller's to route (`zoneOf`).
 */
export function desiredRecords(input: RecordsInput): DesiredRecord[] {
  const domainNames = new Set(input.domains.map((domain) => domain.name));
  // Where every domain's mail goes elsewhere, DANE of this host concerns nobody (A3).
  const receiving = new Set(input.domains.filter(({ mail }) => mail === 'full').map((domain) => domain.host));
  return [
    ...input.hosts.flatMap((host) =>
      hostKinds
        .flatMap((kind) => kind(host))
        // A mail domain that is its own mail host has one SPF record, the domain's.
        .filter((record) => record.role !== 'host-spf' || !domainNames.has(host.name))
        .filter((record) => record.role !== 'tlsa' || receiving.has(host.name))
        .filter(selected(host.records)),
    ),
    ...input.domains.flatMap((domain) =>
      domainKinds.flatMap((kind) => kind(domain, input.domains)).filter(selected(domain.records)),
    ),
    ...(input.parked ?? []).flatMap(parkedRecords),
  ];
}
