import { Exit, SetupError } from '../../errors.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import { guardFetch } from './guarded-fetch.js';
import type { ProviderContext } from './provider.js';
import { cancelled, retryRead } from './retry.js';
import { parseRetryAfter } from './retry-after.js';
import type { WriteFailure } from './write-changes.js';

export interface HttpApiSettings {
  /** The provider's name as users know it. */
  title: string;
  /** Without a final slash. */
  baseUrl: string;
  /** Sent with every request; the credentials are in here. */
  headers: Readonly<Record<string, string>>;
  /** What to do when the credentials are refused: one action a line. */
  tokenFix: readonly string[];
  /** What the provider's error body says. */
  describe(body: unknown): string;
}

/** An answer that is no success, or none at all (`status` absent). */
export class HttpFailure extends Error {
  readonly status: number | undefined;
  readonly retryAfter: number | undefined;

  constructor(text: string, status?: number, retryAfter?: number) {
    super(text);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const timeoutMs = 30_000;
const maxBytes = 16 * 1024 * 1024;

/** A JSON API over HTTP: guarded, reads repeated when they fail in passing, every final failure a SetupError. */
export class HttpApi {
  readonly context: ProviderContext;
  private readonly settings: HttpApiSettings;
  private readonly fetch: typeof fetch;

  constructor(context: ProviderContext, settings: HttpApiSettings) {
    this.context = context;
    this.settings = settings;
    this.fetch = guardFetch(context.fetch, {
      headers: new Set(['content-type']),
      fixed: { accept: 'application/json', 'user-agent': 'smtp-setup', ...settings.headers },
      maxBytes,
    });
  }

  /** One request, not repeated. Resolves to the parsed body (undefined when empty); throws HttpFailure. */
  async send(method: string, path: string, body?: unknown): Promise<unknown> {
    const { signal } = this.context;
    const init: RequestInit = { method, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { 'content-type': 'application/json' };
    }
    let response: Response;
    let text: string;
    try {
      response = await this.fetch(this.settings.baseUrl + path, init);
      text = await response.text();
    } catch (error) {
      if (signal.aborted) throw cancelled(error);
      if (error instanceof SetupError) throw error;
      throw new HttpFailure(`no answer from ${this.settings.title} (${rootMessage(error)})`);
    }
    const parsed = parseJson(text);
    if (response.ok) {
      if (parsed === 'unreadable') throw new HttpFailure('the answer is not JSON', 502);
      return parsed;
    }
    const said = sanitizeLine(parsed === 'unreadable' ? '' : this.settings.describe(parsed), 500);
    throw new HttpFailure(
      `HTTP ${response.status}${said === '' ? '' : `: ${said}`}`,
      response.status,
      parseRetryAfter(response.headers.get('retry-after'), Date.now()),
    );
  }

  /** A GET until it works; `doing` completes "… could not …". Undefined for 404 when `orMissing`. */
  async read(doing: string, path: string, orMissing = false): Promise<unknown> {
    try {
      return await retryRead(
        this.context,
        () => this.send('GET', path),
        (error) => {
          if (!(error instanceof HttpFailure)) return undefined;
          const failure = this.classify(error);
          return failure.kind === 'transient'
            ? { ...failure, reason: `${this.settings.title}: ${failure.text}` }
            : undefined;
        },
      );
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (orMissing && error.status === 404) return undefined;
      throw this.failWith(error, doing);
    }
  }

  classify(error: unknown): WriteFailure {
    if (!(error instanceof HttpFailure)) throw error;
    const { status, message: text, retryAfter } = error;
    if (status === 401 || status === 403) return { kind: 'token', text };
    const passing =
      status === undefined || status === 429 || status === 408 || status === 423 || status >= 500;
    if (passing) return { kind: 'transient', text, ...(retryAfter === undefined ? {} : { retryAfter }) };
    return { kind: status === 404 || status === 409 ? 'conflict' : 'refused', text };
  }

  failWith(failure: HttpFailure, doing: string): SetupError {
    const { title, tokenFix } = this.settings;
    const { status } = failure;
    const common = { evidence: [failure.message], cause: failure };
    if (status === 401 || status === 403) {
      return new SetupError({
        ...common,
        code: 'E_DNS_TOKEN',
        exit: Exit.usage,
        what: `${title} did not accept the credentials: it could not ${doing}.`,
        fix: tokenFix,
      });
    }
    if (status === 429) {
      return new SetupError({
        ...common,
        code: 'E_DNS_RATE_LIMIT',
        exit: Exit.failed,
        what: `${title} limits the number of requests; it could not ${doing}.`,
        fix: ['Wait some minutes and run the command again; what is done already is recognised.'],
      });
    }
    const unreachable = status === undefined || status >= 500;
    return new SetupError({
      ...common,
      code: unreachable ? 'E_DNS_UNREACHABLE' : 'E_DNS_API',
      exit: Exit.failed,
      what: `${title} could not ${doing}.`,
      fix: unreachable
        ? ['Check the connection and the endpoint, then run the command again.']
        : ['Run the command again; if it fails the same way, report it with the evidence above.'],
    });
  }
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return 'unreadable';
    throw error;
  }
}

/** The innermost reason: fetch only says "fetch failed". */
function rootMessage(error: unknown): string {
  let root = error;
  for (let depth = 0; depth < 5 && root instanceof Error && root.cause instanceof Error; depth++)
    root = root.cause;
  return sanitizeLine(root instanceof Error ? root.message : String(root), 200);
}

export type Loose = Readonly<Record<string, unknown>>;

/** An object of an untrusted answer; empty when it is none. */
export function asObject(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

export const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
export const asNumber = (value: unknown): number => (typeof value === 'number' ? value : 0);
