import type { WorldFaults } from './world.js';

export interface FaultyFetch {
  fetch: typeof fetch;
  faults: WorldFaults;
  writeCount(): number;
  reset(): void;
}

type Fault = 'limit' | 'fail-after' | 'cut-after';

/** A fetch that misbehaves on order, in front of a service that cannot be told to. Counts what was meant to write. */
export function createFaultyFetch(inner: typeof fetch = fetch): FaultyFetch {
  let writes = 0;
  let nextWrite: { fault: Fault; retryAfter?: number } | undefined;
  let redirect = false;
  let failing = false;
  let left = Number.POSITIVE_INFINITY;
  const answer = (status: number, headers: Record<string, string> = {}): Response =>
    new Response('{}', { status, headers: { 'content-type': 'application/json', ...headers } });
  return {
    fetch: async (input, init) => {
      if (redirect) {
        redirect = false;
        return answer(302, { location: 'http://127.0.0.1:1/steal' });
      }
      if (failing) return answer(500);
      if (left <= 0) return answer(401);
      left -= 1;
      if ((init?.method ?? 'GET') === 'GET') return inner(input, init);
      writes += 1;
      const fault = nextWrite;
      nextWrite = undefined;
      if (fault?.fault === 'limit') {
        writes -= 1;
        return answer(429, { 'retry-after': String(fault.retryAfter) });
      }
      const real = await inner(input, init);
      if (fault === undefined) return real;
      await real.arrayBuffer();
      if (!real.ok) throw new Error(`the write before the fault was refused: HTTP ${real.status}`);
      if (fault.fault === 'cut-after')
        throw new TypeError('fetch failed', { cause: new Error('socket hang up') });
      return answer(503);
    },
    faults: {
      limitNextWrite: async (retryAfter) => {
        nextWrite = { fault: 'limit', retryAfter };
      },
      failAfterNextWrite: async () => {
        nextWrite = { fault: 'fail-after' };
      },
      cutAfterNextWrite: async () => {
        nextWrite = { fault: 'cut-after' };
      },
      failEverything: async () => {
        failing = true;
      },
      clear: async () => {
        failing = false;
      },
      expireAfter: async (requests) => {
        left = requests;
      },
      redirectNext: async () => {
        redirect = true;
      },
    },
    writeCount: () => writes,
    reset: () => {
      writes = 0;
    },
  };
}
