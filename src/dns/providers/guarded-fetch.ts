import { Exit, SetupError } from '../../errors.js';
import { sanitizeLine } from '../../lib/sanitize.js';

export interface FetchGuard {
  /** Header names, lower-case, that may leave; an SDK adds others from the environment. */
  headers: ReadonlySet<string>;
  /** Set on every request, over whatever the caller wrote. */
  fixed: Readonly<Record<string, string>>;
  /** Longest answer in bytes. */
  maxBytes: number;
}

/**
 * A fetch for provider APIs: follows no redirect (it would carry the token to another host), sends only known headers,
 * and reads no answer beyond a limit. Throws SetupError for a redirect and for an answer that is too long.
 */
export function guardFetch(plain: typeof fetch, guard: FetchGuard): typeof fetch {
  return async (input, init) => {
    const given = new Headers(init?.headers);
    const headers = new Headers();
    for (const [name, value] of given) if (guard.headers.has(name)) headers.set(name, value);
    for (const [name, value] of Object.entries(guard.fixed)) headers.set(name, value);
    const response = await plain(input, { ...init, headers, redirect: 'manual' });
    if (response.status >= 300 && response.status < 400) throw redirected(response);
    const body = await readLimited(response, guard.maxBytes);
    const kept = new Headers(response.headers);
    // The body is decoded already; these would describe what was on the wire.
    kept.delete('content-encoding');
    kept.delete('content-length');
    const bodyless = response.status === 204 || response.status === 205;
    return new Response(bodyless ? null : body, { status: response.status, headers: kept });
  };
}

function redirected(response: Response): SetupError {
  const location = sanitizeLine(response.headers.get('location') ?? 'nowhere', 200);
  return new SetupError({
    code: 'E_DNS_REDIRECT',
    exit: Exit.failed,
    what: 'The DNS provider answered with a redirect, which is not followed because it would hand over the token.',
    evidence: [`HTTP ${response.status} to ${location}`],
    fix: ['Check the endpoint and whether a proxy on this network rewrites requests.'],
  });
}

async function readLimited(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new SetupError({
        code: 'E_DNS_ANSWER_TOO_LONG',
        exit: Exit.failed,
        what: `The DNS provider sent more than ${maxBytes} bytes in one answer.`,
        fix: ['Check the endpoint.'],
      });
    }
    chunks.push(chunk);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
