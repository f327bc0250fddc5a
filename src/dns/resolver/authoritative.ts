import { isWithin } from '../canonical.js';
import { isAskable, toAnswer, unaskable } from './answer.js';
import { formatServerAddress } from './server-address.js';
import {
  type Answer,
  isAbsent,
  isUnknown,
  type NameServer,
  type QueryType,
  type Resolver,
  type ServerAnswer,
  type ZoneInspector,
  type ZoneServers,
} from './types.js';
import type { Query } from './wire.js';
import { findServers, findZoneApex, readReferral, serversOf, type ZoneLookup } from './zone-servers.js';

const deepestReferral = 6;
const longestChain = 8;

export interface AuthoritativeOptions {
  recursive: Resolver;
  query: Query;
  /**
   * Domains whose zones are looked for by their own name only: names below them are found by referral, so that
   * no public resolver ever caches "does not exist" for a name that is about to be created (R21).
   */
  anchors?: readonly string[];
  /** Why an address must not be asked (amendment A7), or undefined when it may. */
  allowAddress?(address: string): string | undefined;
  /** 53, but for tests. */
  port?: number;
  timeoutMs?: number;
  /** Aborts every lookup of this resolver. */
  signal?: AbortSignal;
  /** Each question once, for a run of checks; false (the default) for polling. */
  remember?: boolean;
}

type Zone = ZoneServers | { error: string };

function remember<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let value = cache.get(key);
  if (!value) {
    value = make();
    // An abort may reject it while nobody waits; whoever asks for it still gets the rejection.
    void Promise.allSettled([value]);
    cache.set(key, value);
  }
  return value;
}

/** A host name below one of the domains is no anchor of its own: it may be about to be created (R21). */
function outermost(anchors: readonly string[]): string[] {
  return anchors.filter((one) => anchors.every((other) => other === one || !isWithin(one, other)));
}

function viaOf(server: NameServer): string {
  return `${formatServerAddress(server)} (${server.host})`;
}

/** Asks each zone's own servers by address, RD=0, AA needed. Zone cuts are found once. */
export function createAuthoritativeResolver(options: AuthoritativeOptions): ZoneInspector {
  const { recursive, query, port = 53, timeoutMs = 2000, signal } = options;
  const anchors = outermost(options.anchors ?? []);
  const lookup: ZoneLookup = {
    recursive,
    port,
    allowAddress: options.allowAddress ?? (() => undefined),
  };
  const zones = new Map<string, Promise<Zone>>();
  const starts = new Map<string, Promise<Zone>>();
  const asked = new Map<string, Promise<readonly ServerAnswer[]>>();

  const startZone = (name: string): Promise<Zone> => {
    const anchor = anchors.filter((domain) => isWithin(name, domain)).sort((a, b) => b.length - a.length)[0];
    const from = anchor ?? name;
    const start = remember(starts, from, async () => {
      // Most anchors and the names above them are zone apexes: the NS question goes out with the one for the SOA.
      const likely = anchor !== undefined || anchors.some((domain) => isWithin(domain, from));
      const guess = likely ? remember(zones, from, () => findServers(lookup, from)) : undefined;
      const apex = await findZoneApex(recursive, from);
      if ('error' in apex) return apex;
      if (guess && apex.zone === from) return guess;
      return remember(zones, apex.zone, () => findServers(lookup, apex.zone));
    });
    if (options.remember === true) return start;
    // Whoever polls wants a failure looked at again.
    return start.then((zone) => {
      if ('error' in zone) {
        starts.delete(from);
        zones.delete(from);
      }
      return zone;
    });
  };

  const askOne = async (
    zone: string,
    server: NameServer,
    name: string,
    type: QueryType,
    abort: AbortSignal | undefined,
    transport: 'auto' | 'udp' | 'tcp' = 'auto',
  ) => {
    const reply = await query(server, name, type, {
      recursion: false,
      timeoutMs,
      transport,
      ...(abort && { signal: abort }),
    });
    const answer = toAnswer(name, type, reply, { via: viaOf(server), level: 'authoritative' });
    const referral = reply.ok ? readReferral(reply, zone, name) : undefined;
    const lame = reply.ok && !reply.authoritative && !referral;
    const marked: ServerAnswer = { ...answer, server, lame };
    if (lame && !isUnknown(answer.status)) {
      marked.status = 'servfail';
      marked.detail = 'the server answers without authority for the zone';
    }
    return { answer: marked, referral, glue: reply.ok ? reply.additional : [] };
  };

  type Reply = Awaited<ReturnType<typeof askOne>>;

  /** Every host at its first address that answers. */
  const askHost = async (addresses: readonly NameServer[], ask: (server: NameServer) => Promise<Reply>) => {
    let last: Reply | undefined;
    for (const server of addresses) {
      last = await ask(server);
      if (last.answer.status !== 'timeout') return last;
    }
    return last;
  };

  /** Two names of one server are two witnesses, but one question. */
  const oncePerAddress = (ask: (server: NameServer) => Promise<Reply>) => {
    const asked = new Map<string, Promise<Reply>>();
    return async (server: NameServer): Promise<Reply> => {
      const reply = await remember(asked, server.address, () => ask(server));
      return { ...reply, answer: { ...reply.answer, server, via: viaOf(server) } };
    };
  };

  const askAll = async (
    zone: ZoneServers,
    name: string,
    type: QueryType,
    abort: AbortSignal | undefined,
    depth: number,
  ): Promise<readonly ServerAnswer[]> => {
    const hosts = [...new Set(zone.servers.map((server) => server.host))];
    const ask = oncePerAddress((server) => askOne(zone.zone, server, name, type, abort));
    const replies = await Promise.all(
      hosts.map((host) =>
        askHost(
          zone.servers.filter((server) => server.host === host),
          ask,
        ),
      ),
    );
    const found = replies.filter((one) => one !== undefined);
    const referred = found.find((one) => one.referral);
    if (!referred?.referral || depth >= deepestReferral) return found.map((one) => one.answer);
    const { zone: child, hosts: childHosts } = referred.referral;
    const below = await remember(zones, child, () => serversOf(lookup, child, childHosts, referred.glue));
    return 'error' in below ? [] : askAll(below, name, type, abort, depth + 1);
  };

  const resolveEach = async (rawName: string, type: QueryType, abort = signal) => {
    const name = rawName.toLowerCase();
    if (!isAskable(name)) return [];
    const ask = async () => {
      const zone = await startZone(name);
      return 'error' in zone ? [] : askAll(zone, name, type, abort, 0);
    };
    return options.remember === true ? remember(asked, `${name} ${type}`, ask) : ask();
  };

  const resolve = async (rawName: string, type: QueryType, abort = signal, hops = 0): Promise<Answer> => {
    const name = rawName.toLowerCase();
    if (!isAskable(name)) return unaskable(name, type, { via: 'nobody', level: 'authoritative' });
    const answers = await resolveEach(name, type, abort);
    const usable = answers.find((answer) => !isUnknown(answer.status));
    if (!usable) {
      const failed = answers.find((answer) => answer.status !== 'timeout');
      return failed ?? recursive.resolve(name, type, abort && { signal: abort });
    }
    const target = usable.chain.at(-1)?.data;
    const leaves = target?.type === 'CNAME' && usable.status === 'nodata' && !usable.soa;
    if (!leaves || hops >= longestChain) return usable;
    // The alias points out of the zone: its own servers know the rest.
    const rest = await resolve(target.target, type, abort, hops + 1);
    return { ...rest, name, chain: [...usable.chain, ...rest.chain] };
  };

  return {
    async findZone(name) {
      const zone = await startZone(name.toLowerCase());
      // Nothing below an apex can hold the apex itself: one round trip less for whatever waits for the servers.
      if ('error' in zone || zone.zone === name.toLowerCase()) return zone;
      // A cut below the start shows itself as a referral.
      await askAll(zone, name.toLowerCase(), 'SOA', signal, 0);
      let deepest = zone;
      for (const known of await Promise.all(zones.values()))
        if (!('error' in known) && isWithin(name, known.zone) && known.zone.length > deepest.zone.length)
          deepest = known;
      return deepest;
    },
    async readDelegation(zone) {
      const dot = zone.indexOf('.');
      const parentName = dot < 0 ? '' : zone.slice(dot + 1);
      const parent = await startZone(parentName);
      if ('error' in parent) return parent;
      for (const server of parent.servers) {
        const { answer, referral } = await askOne(parent.zone, server, zone, 'NS', signal);
        if (referral?.zone === zone) return { parent: parent.zone, hosts: referral.hosts, via: answer.via };
        // A server that holds both zones answers for the child instead of referring to it.
        const hosts = answer.records.flatMap(({ data }) => (data.type === 'NS' ? [data.target] : []));
        if (hosts.length > 0) return { parent: parent.zone, hosts, via: answer.via };
        if (isAbsent(answer.status)) return { parent: parent.zone, hosts: [], via: answer.via };
      }
      return { error: `no server of ${parent.zone === '' ? 'the root zone' : parent.zone} answered` };
    },
    async probe(server, zone, transport) {
      return (await askOne(zone, server, zone, 'SOA', signal, transport)).answer;
    },
    resolveEach: (name, type, abort) => resolveEach(name, type, abort),
    resolve: (name, type, more = {}) => resolve(name, type, more.signal),
  };
}
