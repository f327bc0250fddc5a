import { isAskable, toAnswer, unaskable } from './answer.js';
import type { WireReply } from './decode.js';
import { formatServerAddress } from './server-address.js';
import { type Answer, isUnknown, type Resolver, type ServerAddress } from './types.js';
import type { Query, WireFailure } from './wire.js';

export interface RecursiveOptions {
  /** Asked in order; the next one only when one gives no usable answer. */
  servers: readonly ServerAddress[];
  query: Query;
  timeoutMs?: number;
}

/** Asks recursive resolvers and nobody else (`--resolver` is honoured strictly). */
export function createRecursiveResolver({ servers, query, timeoutMs = 3000 }: RecursiveOptions): Resolver {
  return {
    async resolve(rawName, type, options = {}) {
      const name = rawName.toLowerCase();
      let last: Answer | undefined;
      for (const server of servers) {
        const source = { via: `resolver ${formatServerAddress(server)}`, level: 'recursive' } as const;
        if (!isAskable(name)) return unaskable(name, type, source);
        const reply = await query(server, name, type, {
          timeoutMs,
          attempts: 2,
          ...(options.checkingDisabled !== undefined && { checkingDisabled: options.checkingDisabled }),
          ...(options.signal && { signal: options.signal }),
        });
        const answer = refuseReferral(toAnswer(name, type, reply, source), reply);
        if (!isUnknown(answer.status)) return answer;
        last ??= answer;
      }
      return (
        last ?? {
          name,
          type,
          status: 'timeout',
          records: [],
          chain: [],
          ad: false,
          via: 'no resolver',
          level: 'recursive',
          detail: 'this machine has no resolver configured',
        }
      );
    },
  };
}

/** A server that does not recurse points elsewhere instead of answering: that is no "there is no such record". */
function refuseReferral(answer: Answer, reply: WireReply | WireFailure): Answer {
  if (!reply.ok || reply.recursionAvailable || reply.authoritative || answer.status !== 'nodata')
    return answer;
  const types = new Set(reply.authority.map(({ data }) => data.type));
  if (!types.has('NS') || types.has('SOA')) return answer;
  return { ...answer, status: 'refused', detail: 'the server does not look up names for others' };
}

/**
 * Each question once per run, however many checks ask it. The run's own signal goes along: one caller's abort
 * must not decide what another one gets.
 */
export function cacheResolver(inner: Resolver, signal?: AbortSignal): Resolver {
  const answers = new Map<string, Promise<Answer>>();
  return {
    resolve(name, type, options = {}) {
      const key = `${name.toLowerCase()} ${type} ${options.checkingDisabled === true}`;
      let answer = answers.get(key);
      if (!answer) {
        const { checkingDisabled } = options;
        answer = inner.resolve(name, type, {
          ...(checkingDisabled !== undefined && { checkingDisabled }),
          ...(signal && { signal }),
        });
        answers.set(key, answer);
      }
      return answer;
    },
  };
}
