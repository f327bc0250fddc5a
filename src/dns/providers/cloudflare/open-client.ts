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
    fetch: guardFetch(context.fetch, {
      headers: new Set(['accept', 'content-type', 'user-agent', 'api-version']),
      fixed: { authorization: `Bearer ${apiToken}` },
      maxBytes: 16 * 1024 * 1024,
    }),
  });
}

export type CloudflareClient = Awaited<ReturnType<typeof openClient>>;
