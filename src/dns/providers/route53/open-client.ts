import { guardFetch } from '../guarded-fetch.js';
import type { ProviderContext } from '../provider.js';

export const defaultEndpoint = 'https://route53.amazonaws.com';
const timeoutMs = 30_000;

/** What the SDK hands to a request handler, as far as it matters here. */
interface SdkRequest {
  method: string;
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  query?: Readonly<Record<string, string | readonly string[] | null>>;
  headers: Readonly<Record<string, string>>;
  body?: unknown;
}

/**
 * The official SDK with every source of settings but the given ones shut: without them it reads the environment, the
 * files in ~/.aws and the metadata service. It loads here because importing it takes long.
 */
export async function openClient(context: ProviderContext, endpoint: string) {
  const sdk = await import('./sdk.js');
  const { accessKeyId = '', secretAccessKey = '', sessionToken } = context.credentials;
  const guarded = guardFetch(context.fetch, {
    headers: new Set([
      ...['authorization', 'content-type', 'user-agent', 'amz-sdk-invocation-id', 'amz-sdk-request'],
      ...['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token', 'x-amz-user-agent'],
    ]),
    fixed: {},
    maxBytes: 16 * 1024 * 1024,
  });
  const handle = async (request: SdkRequest) => {
    const response = await guarded(renderUrl(request), {
      method: request.method,
      headers: request.headers,
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]),
      ...(typeof request.body === 'string' && request.body !== '' ? { body: request.body } : {}),
    });
    const text = await response.text();
    const body = new TextEncoder().encode(response.ok ? text : wrapBatchError(text));
    return {
      response: { statusCode: response.status, headers: Object.fromEntries(response.headers), body },
    };
  };
  const client = quietly(
    () =>
      new sdk.Route53Client({
        region: 'us-east-1',
        endpoint,
        credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
        maxAttempts: 1,
        retryMode: 'standard',
        defaultsMode: 'standard',
        useFipsEndpoint: false,
        useDualstackEndpoint: false,
        authSchemePreference: ['sigv4'],
        userAgentAppId: 'smtp-setup',
        requestHandler: { handle },
      }),
  );
  return { client, sdk };
}

export type OpenClient = Awaited<ReturnType<typeof openClient>>;

/** Its constructor warns on standard error about Node 20, which is supported here and by the bundled version. */
function quietly<T>(construct: () => T): T {
  const warn = process.emitWarning;
  process.emitWarning = () => undefined;
  try {
    return construct();
  } finally {
    process.emitWarning = warn;
  }
}

/**
 * A refused batch may come as `<InvalidChangeBatch><Messages>…` (as the API reference shows it) instead of the usual
 * `<ErrorResponse>`, and the SDK reads "UnknownError" from that.
 */
function wrapBatchError(text: string): string {
  if (!/<InvalidChangeBatch[\s>]/.test(text)) return text;
  const messages = [...text.matchAll(/<Message>([^<]*)<\/Message>/g)].map(([, message]) => message ?? '');
  const error = `<Code>InvalidChangeBatch</Code><Message>${messages.join(' ')}</Message>`;
  return `<ErrorResponse><Error><Type>Sender</Type>${error}</Error></ErrorResponse>`;
}

function renderUrl({ protocol, hostname, port, path, query = {} }: SdkRequest): string {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value])
      url.searchParams.append(name, String(item ?? ''));
  }
  return url.href;
}
