import { Exit, SetupError } from '../../../errors.js';
import { sanitizeLine } from '../../../lib/sanitize.js';
import type { Transient } from '../retry.js';
import { parseRetryAfter } from '../retry-after.js';

export const tokenUrl = 'https://dash.cloudflare.com/profile/api-tokens';
export const tokenRights = 'Zone:Read and DNS:Edit for this zone (template "Edit zone DNS")';

export interface ApiFailure {
  /** HTTP status; absent when no answer came. */
  status?: number;
  items: readonly { code: number; message: string }[];
  retryAfter?: number;
  /** Why no answer came. */
  connection?: string;
}

type Loose = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null;

/** The HTTP status of an exception of the SDK, if the API answered at all. */
export function statusOf(error: unknown): number | undefined {
  return isObject(error) && typeof error.status === 'number' ? error.status : undefined;
}

/**
 * What an exception of the SDK says, read by shape: its classes live in a module that loads late. Errors of ours that
 * the SDK has wrapped (a refused redirect) are thrown again as they were.
 */
export function readFailure(error: unknown): ApiFailure {
  if (error instanceof SetupError) throw error;
  if (!isObject(error)) return { items: [], connection: sanitizeLine(String(error)) };
  if (error.cause instanceof SetupError) throw error.cause;
  const status = statusOf(error);
  if (status === undefined) {
    const root = isObject(error.cause) ? error.cause : error;
    const detail = isObject(root.cause) ? root.cause : root;
    return { items: [], connection: sanitizeLine(String(detail.message ?? 'no answer'), 200) };
  }
  const asked = error.headers instanceof Headers ? error.headers.get('retry-after') : null;
  const retryAfter = parseRetryAfter(asked, Date.now());
  return {
    status,
    items: readItems(error.error),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

function readItems(body: unknown): { code: number; message: string }[] {
  if (!isObject(body)) return [];
  const [errors, messages] = [body.errors, body.messages].map((items: unknown) =>
    Array.isArray(items) ? items.slice(0, 10) : [],
  );
  return (errors?.length ? errors : (messages ?? [])).flatMap((item: unknown) => {
    if (!isObject(item)) return [];
    // The precise reason, where there is one, is in the chain: the outer item only says "validation error".
    const chain = Array.isArray(item.error_chain) ? item.error_chain.slice(0, 5) : [];
    return [item, ...chain].flatMap((entry: unknown) =>
      isObject(entry)
        ? [{ code: Number(entry.code), message: sanitizeLine(String(entry.message), 300) }]
        : [],
    );
  });
}

/** A failure that may pass by itself: rate limit, server error, no answer. */
export function asTransient(failure: ApiFailure): Transient | undefined {
  const { status, retryAfter } = failure;
  // 501 is how some say that there is no such endpoint or method.
  if (status !== undefined && status !== 429 && status !== 408 && (status < 500 || status === 501))
    return undefined;
  const reason =
    status === undefined
      ? `no answer from Cloudflare (${failure.connection})`
      : `Cloudflare answered HTTP ${status}`;
  return { reason, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

/**
 * The token is wrong, expired, or has not the right; 9109 and 10000 serve for all three. The codes mean that under whatever
 * status; 6003 means a malformed header under 400 only.
 */
export function isTokenFailure(failure: ApiFailure): boolean {
  const { status } = failure;
  const malformed = status === 400 && hasCode(failure, 6003, 6111);
  return status === 401 || status === 403 || malformed || hasCode(failure, 1000, 9103, 9106, 9109, 10_000);
}

export const hasCode = (failure: ApiFailure, ...codes: number[]): boolean =>
  failure.items.some((item) => codes.includes(item.code));

/** One line: status and API codes, safe for a terminal. */
export function describeFailure({ status, items, connection }: ApiFailure): string {
  if (status === undefined) return `no answer: ${connection}`;
  const said = items.map(({ code, message }) => `${code} ${message}`).join('; ');
  return said === '' ? `HTTP ${status}` : `HTTP ${status}: ${said}`;
}

export const makeToken = [
  `Make a token at ${tokenUrl} with ${tokenRights}; a global API key does not work.`,
  'Pass it in CLOUDFLARE_API_TOKEN.',
];

/** The failure as users meet it. `doing` completes "Cloudflare did not …". */
export function failWith(failure: ApiFailure, doing: string, cause: unknown): SetupError {
  const evidence = [describeFailure(failure)];
  if (isTokenFailure(failure)) {
    return new SetupError({
      code: 'E_DNS_TOKEN',
      exit: Exit.usage,
      what: `Cloudflare did not accept the API token: it could not ${doing}.`,
      evidence,
      fix: makeToken,
      cause,
    });
  }
  if (failure.status === 429) {
    return new SetupError({
      code: 'E_DNS_RATE_LIMIT',
      exit: Exit.failed,
      what: `Cloudflare limits the requests of this account; it could not ${doing}.`,
      evidence,
      fix: ['Wait five minutes and run the command again; what is done already is recognised.'],
      cause,
    });
  }
  const unreachable = failure.status === undefined || failure.status >= 500;
  return new SetupError({
    code: unreachable ? 'E_DNS_UNREACHABLE' : 'E_DNS_API',
    exit: Exit.failed,
    what: `Cloudflare could not ${doing}.`,
    evidence,
    fix: unreachable
      ? ['Check the connection and https://www.cloudflarestatus.com/, then run the command again.']
      : [
          ...(failure.status === 404 && failure.items.length === 0
            ? ['Look at CLOUDFLARE_BASE_URL, if it is set: that of Cloudflare itself ends in /client/v4.']
            : []),
          'Run the command again; if it fails the same way, report it with the evidence above.',
        ],
    cause,
  });
}
