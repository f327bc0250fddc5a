import { applyChanges } from '../../../src/dns/diff.js';
import { toChange } from '../../../src/dns/merge/sequence.js';
import { findOtherSenders } from '../../../src/dns/other-senders.js';
import { planZone } from '../../../src/dns/plan-zone.js';
import type { Capabilities, Zone } from '../../../src/dns/providers/provider.js';
import type { LiveRecord, RecordData } from '../../../src/dns/record.js';
import { desiredRecords } from '../../../src/dns/records/index.js';
import type { DomainInput, HostInput, RecordsInput } from '../../../src/dns/records/input.js';
import type { PlanZoneInput, ZonePlan } from '../../../src/dns/zone-plan.js';

export const domainName = 'example.org';
export const hostName = 'mail.example.org';
export const ipv4 = '198.51.100.7';
export const ipv6 = '2001:db8::7';
export const key = 'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtest';
export const installId = 'abc123';

export const zone: Zone = {
  id: 'z1',
  name: domainName,
  nameServers: ['ada.ns.example', 'bob.ns.example'],
  state: 'active',
};

export const caps: Capabilities = {
  types: new Set(['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'MX', 'TXT', 'SRV', 'CAA', 'TLSA']),
  unit: 'record',
  atomic: true,
  marks: 'comment',
  minTtl: 60,
  maxTtl: 86_400,
  batchMax: 200,
  nullMx: true,
};

export const host: HostInput = { name: hostName, ipv4, ttl: 3600 };
export const domain: DomainInput = {
  name: domainName,
  host: hostName,
  mail: 'full',
  ttl: 3600,
  dkim: [{ selector: 's202611', publicKey: key }],
  dmarc: {},
  otherSenders: false,
};

let nextId = 0;
export function live(name: string, data: RecordData, extra: Partial<LiveRecord> = {}): LiveRecord {
  nextId += 1;
  return { id: `id${nextId}`, name, ttl: 3600, data, ...extra };
}
export const txt = (name: string, text: string, extra: Partial<LiveRecord> = {}): LiveRecord =>
  live(name, { type: 'TXT', text }, extra);
export const mx = (exchange: string, preference = 10, extra: Partial<LiveRecord> = {}): LiveRecord =>
  live(domainName, { type: 'MX', preference, exchange }, extra);

export interface PlanOptions extends Partial<Omit<PlanZoneInput, 'live' | 'desired' | 'input'>> {
  host?: Partial<HostInput>;
  domain?: Partial<DomainInput>;
  input?: Partial<RecordsInput>;
}

/** The plan for a zone that holds `records`; other senders are found as a caller would. */
export function plan(records: readonly LiveRecord[], options: PlanOptions = {}): ZonePlan {
  const { host: hostPart, domain: domainPart, input: inputPart, ...rest } = options;
  const theHost = { ...host, ...hostPart };
  const otherSenders = findOtherSenders(domainName, theHost, records, domainPart?.backup).length > 0;
  const input: RecordsInput = {
    hosts: [theHost],
    domains: [{ ...domain, host: theHost.name, otherSenders, ...domainPart }],
    ...inputPart,
  };
  return planZone({
    zone,
    live: records,
    desired: desiredRecords(input),
    input,
    caps,
    consents: { update: false, delete: false },
    installId,
    privateNetwork: true,
    ...rest,
  });
}

export const allConsents = {
  update: true,
  delete: true,
  unproxy: true,
  takeOverMx: { recipients: ['anna@example.org'] },
};

/** The zone after the plan, as a provider would list it. */
export function afterPlan(records: readonly LiveRecord[], done: ZonePlan): LiveRecord[] {
  return applyChanges(records, done.changes.map(toChange)).map((record, index) => ({
    ...record,
    id: record.id ?? `new${index}`,
  }));
}

export const roles = (done: ZonePlan): string[] => done.changes.map((change) => change.role).sort();
export const codes = (done: ZonePlan): string[] => done.conflicts.map((conflict) => conflict.code);
export const change = (done: ZonePlan, role: string) => done.changes.find((item) => item.role === role);
export const textOf = (data: RecordData | undefined): string | undefined =>
  data?.type === 'TXT' ? data.text : undefined;
