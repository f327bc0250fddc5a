import { Exit, SetupError } from '../../../errors.js';
import { sanitizeLine } from '../../../lib/sanitize.js';
import { guardFetch } from '../guarded-fetch.js';
import type { ProviderContext } from '../provider.js';

export const defaultBaseUrl = 'https://api.cloudflare.com/client/v4';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * The official SDK with only the three resources that are used; it loads here because importing it takes a second.
 * The SDK takes whatever it was not given from the environment (other credentials, log level, extra headers), so
 * everything is given, and the guard decides what leaves.
 */
export async function openClient(context: ProviderContext) {
  const [{ createClient }, { BaseRecords }, { BaseZones }, { BaseTokens }] = await Promise.all([
    import('cloudflare/tree-shakable'),
    import('cloudflare/resources/dns/records'),
    import('cloudflare/resources/zones/zones'),
    import('cloudflare/resources/user/tokens/tokens'),
  ]);
  const apiToken = context.credentials.token ?? '';
  return createClient({
    resources: [BaseRecords, BaseZones, BaseTokens],
    apiToken,
    apiKey: null,
    apiEmail: null,
    userServiceKey: null,
    baseURL: context.baseUrl ?? defaultBaseUrl,
    maxRetries: 0,
    timeout: 30_000,
    logLevel: 'off',
    logger: silent,
    fetch: requireEnvelope(
      guardFetch(context.fetch, {
        headers: new Set(['accept', 'content-type', 'user-agent', 'api-version']),
        fixed: { authorization: `Bearer ${apiToken}` },
        maxBytes: 16 * 1024 * 1024,
      }),
    ),
  });
}

/**
 * The SDK looks at the HTTP status alone: what says `"success": false` under 200, and the page of a proxy that stands in
 * between, would pass for an empty zone, or for a record that was written.
 */
function requireEnvelope(plain: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await plain(input, init);
    if (!response.ok) return response;
    const text = await response.text();
    const { status, headers } = response;
    const body = readEnvelope(text);
    // Of a deletion there is nothing to tell.
    if (init?.method === 'DELETE' && (text === '' || (body?.success === true && body.result === undefined)))
      return Response.json({ success: true, result: null });
    if (body === undefined || !('result' in body))
      throw noApi(status, headers.get('content-type') ?? 'unknown type', text);
    return new Response(text, { status: body.success === false ? 400 : status, headers });
  };
}

function readEnvelope(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? { ...body } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function noApi(status: number, type: string, text: string): SetupError {
  return new SetupError({
    code: 'E_DNS_API',
    exit: Exit.failed,
    what: 'The answer is not one of the Cloudflare API.',
    evidence: [`HTTP ${status}, ${sanitizeLine(type, 60)}: ${sanitizeLine(text, 120)}`],
    fix: [
      'Check the endpoint (CLOUDFLARE_BASE_URL), and whether a proxy on this network answers in its place.',
    ],
  });
}

export type CloudflareClient = Awaited<ReturnType<typeof openClient>>;
