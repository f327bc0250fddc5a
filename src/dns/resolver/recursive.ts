import { isAskable, toAnswer, unaskable } from './answer.js';
import { formatServerAddress } from './server-address.js';
import { type Answer, isUnknown, type Resolver, type ServerAddress } from './types.js';
import type { Query } from './wire.js';

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
        const answer = toAnswer(name, type, reply, source);
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
