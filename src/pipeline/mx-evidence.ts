import { connect } from 'node:net';
import type { PinnedFetch } from '../checks/pinned-fetch.js';
import { canonicalRecord, isWithin } from '../dns/canonical.js';
import type { DnsJournal } from '../dns/journal.js';
import { readLoweredMx } from '../dns/lowered-mx.js';
import { parseStsPolicy } from '../dns/parse/mta-sts.js';
import type { LiveRecord } from '../dns/record.js';
import type { DomainInput } from '../dns/records/input.js';
import type { Resolver } from '../dns/resolver/index.js';
import type { StsPolicyEvidence, ZoneEvidence } from '../dns/zone-plan.js';
import { specialAddressKind } from '../lib/ip.js';
import type { DnsIntent } from './desired-dns.js';

/** Whether a TCP connection to the port is accepted. */
export type PortProbe = (address: string, port: number) => Promise<boolean>;

export interface MxEvidenceDeps {
  authoritative: Pick<Resolver, 'resolve'>;
  fetch: PinnedFetch;
  probePort: PortProbe;
  journal: Pick<DnsJournal, 'read'>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rehearsal or private network: special-purpose addresses may be connected to (amendments A6, A7). */
  privateNetwork: boolean;
}

type MxEvidence = Pick<ZoneEvidence, 'implicitMx' | 'stsPolicy' | 'mxCachedFor'>;

const policySize = 64 * 1024;
const policyTimeout = 5000;

/**
 * What speaks against an MX of ours (amendment A2), for the zone's domains whose mail does not come here yet.
 * What does not answer is left out or `unknown`.
 */
export async function gatherMxEvidence(
  zone: string,
  live: readonly LiveRecord[],
  { input }: DnsIntent,
  deps: MxEvidenceDeps,
): Promise<MxEvidence> {
  const records = live.map(canonicalRecord);
  const exchangesOf = (domain: string): string[] =>
    records.flatMap(({ name, data }) => (name === domain && data.type === 'MX' ? [data.exchange] : []));
  const coming = input.domains.filter(
    ({ name, mail, host }) => mail === 'full' && isWithin(name, zone) && !exchangesOf(name).includes(host),
  );
  const hosts = input.hosts.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]);
  const announces = ({ name }: DomainInput): boolean =>
    records.some(
      (record) =>
        record.name === `_mta-sts.${name}` && (record.data.type === 'TXT' || record.data.type === 'CNAME'),
    );
  const [implicitMx, stsPolicy, mxCachedFor] = await Promise.all([
    collect(
      coming.filter(({ name }) => exchangesOf(name).length === 0),
      ({ name }) => findImplicitMx(name, hosts, deps),
    ),
    collect(coming.filter(announces), ({ name }) => readServedPolicy(name, deps)),
    coming.length === 0
      ? {}
      : deps.journal.read(zone).then((entries) =>
          Object.fromEntries(
            coming.flatMap(({ name }) => {
              const seconds = readLoweredMx(entries, name, deps.now());
              return seconds > 0 ? [[name, seconds]] : [];
            }),
          ),
        ),
  ]);
  return { implicitMx, stsPolicy, mxCachedFor };
}

/** The address of the domain itself that takes mail for want of an MX (RFC 5321 section 5.1). */
async function findImplicitMx(
  domain: string,
  ours: readonly (string | undefined)[],
  deps: MxEvidenceDeps,
): Promise<string | undefined> {
  const addresses = (await addressesOf(domain, deps)).filter((address) => !ours.includes(address));
  const answering = await Promise.all(addresses.map((address) => deps.probePort(address, 25)));
  return addresses.find((_, index) => answering[index]);
}

/** The policy as senders fetch it now (RFC 8461 section 3.3). */
async function readServedPolicy(
  domain: string,
  deps: MxEvidenceDeps,
): Promise<StsPolicyEvidence | 'unknown'> {
  const name = `mta-sts.${domain}`;
  const response = await deps.fetch({
    url: new URL(`https://${name}/.well-known/mta-sts.txt`),
    addresses: await addressesOf(name, deps),
    maxBytes: policySize,
    timeoutMs: policyTimeout,
  });
  if (!response.ok || response.status !== 200 || response.tooLong) return 'unknown';
  const parsed = parseStsPolicy(response.body);
  return parsed.ok ? { mode: parsed.policy.mode, mx: parsed.policy.mx } : 'unknown';
}

/** Addresses that may be connected to: a hostile zone must not make this machine probe its own network (A7). */
async function addressesOf(
  name: string,
  { authoritative, privateNetwork }: MxEvidenceDeps,
): Promise<string[]> {
  const answers = await Promise.all([authoritative.resolve(name, 'A'), authoritative.resolve(name, 'AAAA')]);
  return answers
    .flatMap(({ records }) =>
      records.flatMap(({ data }) => (data.type === 'A' || data.type === 'AAAA' ? [data.address] : [])),
    )
    .filter((address) => privateNetwork || specialAddressKind(address) === undefined)
    .slice(0, mostAddresses);
}

const mostAddresses = 4;

async function collect<T>(
  domains: readonly DomainInput[],
  find: (domain: DomainInput) => Promise<T | undefined>,
): Promise<Record<string, T>> {
  const found: Record<string, T> = {};
  await Promise.all(
    domains.map(async (domain) => {
      const value = await find(domain);
      if (value !== undefined) found[domain.name] = value;
    }),
  );
  return found;
}

/** For `MxEvidenceDeps.probePort`: false after `timeoutMs`, too, because many networks block port 25. */
export function createPortProbe(timeoutMs: number, signal: AbortSignal): PortProbe {
  return (address, port) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const socket = connect({ host: address, port });
      const close = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        socket.destroy();
      };
      const settle = (accepted: boolean) => {
        close();
        resolve(accepted);
      };
      const onAbort = () => {
        close();
        reject(signal.reason);
      };
      const timer = setTimeout(() => settle(false), timeoutMs);
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('connect', () => settle(true));
      socket.once('error', () => settle(false));
    });
}
