import { Exit, SetupError } from '../../errors.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import { CloudflareApi } from './cloudflare/api.js';
import { makeToken, statusOf, tokenRights, tokenUrl } from './cloudflare/api-failure.js';
import { applyChanges } from './cloudflare/apply-changes.js';
import { auditRecord, capabilities } from './cloudflare/audit-record.js';
import { defaultBaseUrl, openClient } from './cloudflare/open-client.js';
import type { DnsProvider, ProviderContext, ProviderDefinition } from './provider.js';
import { requireToken } from './require-token.js';
import { cancelled } from './retry.js';

/** Cloudflare, through its official SDK. https://developers.cloudflare.com/api/resources/dns/ */
export const cloudflare: ProviderDefinition = {
  id: 'cloudflare',
  title: 'Cloudflare',
  nameServers: [/\.ns\.cloudflare\.com$/],
  credentials: [
    {
      key: 'token',
      label: 'Cloudflare API token',
      secret: true,
      env: ['CLOUDFLARE_API_TOKEN', 'CLOUDFLARE_DNS_API_TOKEN', 'CF_DNS_API_TOKEN'],
      help: `Needs ${tokenRights}.`,
    },
  ],
  tokenUrl,
  rights: tokenRights,
  capabilities,
  baseUrlEnv: 'CLOUDFLARE_BASE_URL',
  open: openCloudflare,
};

async function openCloudflare(context: ProviderContext): Promise<DnsProvider> {
  requireToken('Cloudflare', context.credentials.token, makeToken);
  if (context.baseUrl !== undefined && context.baseUrl !== defaultBaseUrl) {
    context.log(`Cloudflare API endpoint: ${sanitizeLine(context.baseUrl, 200)}`);
  }
  const api = new CloudflareApi(await openClient(context), context);
  return {
    verify: () => verifyToken(api),
    findZone: (name) => api.findZone(name),
    list: (zone) => api.listRecords(zone),
    audit: auditRecord,
    apply: (zone, changes) => applyChanges(api, zone, changes),
  };
}

/**
 * Proves access by listing zones: `/user/tokens/verify` knows nothing of tokens that an account owns, and no answer of
 * it takes back that the zones were listed with this very token.
 */
async function verifyToken(api: CloudflareApi): Promise<{ detail: string }> {
  const zones = await api.countZones();
  if (zones === 0) {
    throw new SetupError({
      code: 'E_DNS_NO_ZONES',
      exit: Exit.usage,
      what: 'The Cloudflare API token works but reaches no zone.',
      fix: [`Give it ${tokenRights} at ${tokenUrl}, and include the zone under "Zone Resources".`],
    });
  }
  const reach = `reaches ${zones} ${zones === 1 ? 'zone' : 'zones'}`;
  try {
    const { status, expires_on: expires } = await api.client.user.tokens.verify(api.options);
    return { detail: `${status}, ${reach}${expires ? `, expires ${sanitizeLine(expires, 30)}` : ''}` };
  } catch (error) {
    if (api.context.signal.aborted) throw cancelled(error);
    const refused = [400, 401, 403, 404].includes(statusOf(error) ?? 0);
    return { detail: refused ? `token of an account, ${reach}` : reach };
  }
}
