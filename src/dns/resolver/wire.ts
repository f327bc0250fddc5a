import { randomInt } from 'node:crypto';
import dnsPacket from 'dns-packet';
import { decodeReply, type WireReply } from './decode.js';
import { exchangeTcp } from './tcp.js';
import type { QueryType, ServerAddress } from './types.js';
import { type Exchange, exchangeUdp } from './udp.js';

/** Fits every path without fragments (DNS flag day 2020, RFC 9715). */
const ednsSize = 1232;

export interface QueryOptions {
  /** RD: false for authoritative servers. Default true. */
  recursion?: boolean;
  /** CD: do not validate. */
  checkingDisabled?: boolean;
  /** Milliseconds for each attempt. Default 2000. */
  timeoutMs?: number;
  /** UDP attempts. Default 2. */
  attempts?: number;
  /** `tcp` goes straight to TCP; `udp` takes a truncated answer as it is. Default `auto`. */
  transport?: 'auto' | 'tcp' | 'udp';
  signal?: AbortSignal;
}

/** No reply that could be used. */
export interface WireFailure {
  ok: false;
  reason: 'timeout' | 'unreachable' | 'malformed';
  detail: string;
}

export type Query = (
  server: ServerAddress,
  name: string,
  type: QueryType,
  options?: QueryOptions,
) => Promise<WireReply | WireFailure>;

/**
 * Asks one server one question: UDP with EDNS, TCP when truncated. Replies whose id, question or source do not
 * fit are ignored. Resolves with a failure instead of throwing; rejects only when the signal aborts.
 */
export const query: Query = async (server, name, type, options = {}) => {
  const plain = await queryOnce(server, name, type, options, true);
  // RFC 6891 7: servers older than EDNS answer FORMERR or NOTIMP, without an OPT record.
  const ednsUnknown = plain.ok && !plain.edns && (plain.rcode === 1 || plain.rcode === 4);
  return ednsUnknown ? queryOnce(server, name, type, options, false) : plain;
};

async function queryOnce(
  server: ServerAddress,
  name: string,
  type: QueryType,
  options: QueryOptions,
  edns: boolean,
): Promise<WireReply | WireFailure> {
  const { timeoutMs = 2000, attempts = 2, transport = 'auto', signal } = options;
  let last: WireFailure = { ok: false, reason: 'timeout', detail: 'not asked' };
  for (let attempt = 0; attempt < attempts; attempt++) {
    const id = randomInt(0x10000);
    const message = encodeQuery(id, name, type, options, edns);
    const accept = (bytes: Buffer) => decodeReply(bytes, { id, name, type });
    const exchange = { server, message, accept, timeoutMs, signal };
    // A network or a server that lets no datagrams through may still let TCP through (RFC 7766 section 5).
    const both = transport === 'auto' && attempt > 0 && attempt === attempts - 1;
    const reply = both
      ? await exchangeBoth(exchange)
      : await (transport === 'tcp' ? exchangeTcp : exchangeUdp)(exchange);
    if (reply.ok && reply.truncated && transport === 'auto') {
      const full = await exchangeTcp({ server, message, accept, timeoutMs, signal });
      return full.ok ? full : { ...full, detail: `truncated over UDP; over TCP: ${full.detail}` };
    }
    if (reply.ok || reply.reason === 'unreachable') return reply;
    last = reply;
  }
  return last;
}

/** Over UDP and TCP at once: the first that brings a reply, else what UDP says. */
async function exchangeBoth(exchange: Exchange): Promise<WireReply | WireFailure> {
  const done = new AbortController();
  const { signal } = exchange;
  const either = { ...exchange, signal: signal ? AbortSignal.any([signal, done.signal]) : done.signal };
  const tries = [exchangeUdp(either), exchangeTcp(either)];
  // The slower one ends when the other has answered; its rejection is then nobody's.
  void Promise.allSettled(tries);
  try {
    return await new Promise<WireReply | WireFailure>((resolve, reject) => {
      for (const one of tries)
        one.then((reply) => {
          if (reply.ok) resolve(reply);
        }, reject);
      void Promise.all(tries).then(([udp]) => {
        if (udp) resolve(udp);
      }, reject);
    });
  } finally {
    done.abort();
  }
}

function encodeQuery(
  id: number,
  name: string,
  type: QueryType,
  options: QueryOptions,
  edns: boolean,
): Buffer {
  const recursion = options.recursion ?? true;
  // AD in a query asks for the AD bit in the answer without the bulk of RRSIGs (RFC 6840 5.7).
  const flags =
    (recursion ? dnsPacket.RECURSION_DESIRED | dnsPacket.AUTHENTIC_DATA : 0) |
    (options.checkingDisabled === true ? dnsPacket.CHECKING_DISABLED : 0);
  return dnsPacket.encode({
    type: 'query',
    id,
    flags,
    // The library's declarations leave out SPF, which the library knows.
    questions: [{ type: type as dnsPacket.RecordType, name: name === '' ? '.' : name, class: 'IN' }],
    additionals: edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: ednsSize,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: 0,
            flag_do: false,
            options: [],
          },
        ]
      : [],
  });
}

/** At most `most` queries under way at once, so that a wide check neither floods servers nor runs out of sockets. */
export function limitQueries(inner: Query, most: number): Query {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (server, name, type, options) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await inner(server, name, type, options);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
