import { collectPages } from '../dns/providers/collect-pages.js';
import { openCloudHttp, readTotal, runAction } from '../dns/providers/hetzner/cloud-http.js';
import { hetzner } from '../dns/providers/hetzner.js';
import { asArray, asNumber, asObject, asText, type HttpApi, HttpFailure } from '../dns/providers/http-api.js';
import type { ProviderContext } from '../dns/providers/provider.js';
import { maxTries, waitToRetry } from '../dns/providers/retry.js';
import { Exit, SetupError } from '../errors.js';
import { canonicalIp, inNetwork, parseIp } from '../lib/ip.js';
import { sanitizeLine } from '../lib/sanitize.js';
import type { HostingApi, ReverseEntry, ReverseNames } from './hosting-api.js';

/**
 * Servers' addresses are primary or floating IPs of a project; both kinds have the action `change_dns_ptr`:
 * https://docs.hetzner.cloud/reference/cloud#primary-ip-actions and #floating-ip-actions (read 2026-11)
 */
const kinds = ['primary_ips', 'floating_ips'] as const;
const perPage = 50;

/** What an IPv4 address is called until somebody names it. */
const defaultName = /^static\.[0-9.]+\.clients\.your-server\.de$/;

/** Hetzner Cloud: the token of Hetzner DNS belongs to the same API, so it can name the server too. */
export const hetznerCloud: HostingApi = {
  hosting: 'hetzner',
  title: 'Hetzner Cloud',
  account: hetzner,
  open: openReverseNames,
};

interface Resource {
  kind: (typeof kinds)[number];
  id: number;
  /** The address itself; of IPv6 a network, usually a /64. */
  network: readonly number[];
  bits: number;
  names: ReadonlyMap<string, string>;
}

function openReverseNames(context: ProviderContext): ReverseNames {
  const http = openCloudHttp(context, [
    `The token needs Read & Write, made at ${hetzner.tokenUrl} in the project that holds the server.`,
    'Or set the reverse name by hand in the console, and run the command again.',
  ]);
  const read = async (address: string): Promise<ReverseEntry | undefined> => {
    const found = await find(http, address);
    return found && entryOf(found, address);
  };
  return { read, set: (address, name) => setName(http, read, address, name) };
}

async function setName(
  http: HttpApi,
  read: ReverseNames['read'],
  address: string,
  name: string | undefined,
): Promise<void> {
  const isSet = async (): Promise<{ done: boolean; now: ReverseEntry | undefined }> => {
    const now = await read(address);
    return { done: name === undefined ? now?.isDefault === true : now?.name === name, now };
  };
  const doing = `set the reverse name of ${address}`;
  for (let tried = 1; ; tried++) {
    try {
      const resource = await find(http, address);
      if (!resource) throw new HttpFailure(`${address} is none of the project's addresses`, 404);
      await runAction(http, `/${resource.kind}/${resource.id}/actions/change_dns_ptr`, {
        ip: address,
        // Null is the API's word for its own name of the address.
        dns_ptr: name ?? null,
      });
      break;
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      const failure = http.classify(error);
      if (failure.kind !== 'transient' || tried >= maxTries) throw http.failWith(error, doing);
      await waitToRetry(http.context, tried, { ...failure, reason: `Hetzner: ${failure.text}` });
      // Its answer may have been lost after the work was done.
      if ((await isSet()).done) return;
    }
  }
  const { done, now } = await isSet();
  if (done) return;
  throw new SetupError({
    code: 'E_PTR_UNSET',
    exit: Exit.failed,
    what: `Hetzner accepted the reverse name of ${address}, but does not show it.`,
    evidence: [`wanted ${name ?? 'the default'}, found ${sanitizeLine(now?.name ?? 'none', 260)}`],
    fix: ['Set it by hand in the console, and run the command again.'],
  });
}

async function find(http: HttpApi, address: string): Promise<Resource | undefined> {
  const bytes = parseIp(address) ?? [];
  for (const kind of kinds) {
    const all = await collectPages(
      http.context,
      `the project's ${kind.replace('_ips', ' IPs')}`,
      async (page) => {
        const path = `/${kind}?page=${page}&per_page=${perPage}`;
        const answer = asObject(await http.read('list the addresses of the project', path));
        return { items: asArray(answer[kind]), total: readTotal(answer) };
      },
      (item) => String(asNumber(asObject(item).id)),
    );
    const found = all
      .map((item) => readResource(kind, item))
      .find((one) => one !== undefined && inNetwork(bytes, one.network, one.bits));
    if (found) return found;
  }
  return undefined;
}

function readResource(kind: Resource['kind'], item: unknown): Resource | undefined {
  const { id, ip, dns_ptr } = asObject(item);
  const [text = '', bits] = asText(ip).split('/');
  const network = parseIp(text);
  if (network === undefined) return undefined;
  const names = asArray(dns_ptr).map((entry) => {
    const { ip: one, dns_ptr: name } = asObject(entry);
    return [canonicalIp(asText(one)) ?? '', asText(name).toLowerCase().replace(/\.$/, '')] as const;
  });
  return {
    kind,
    id: asNumber(id),
    network,
    bits: bits === undefined ? network.length * 8 : Number(bits),
    names: new Map(names),
  };
}

function entryOf({ names }: Resource, address: string): ReverseEntry {
  const name = names.get(canonicalIp(address) ?? address);
  if (name === undefined || name === '') return { isDefault: true };
  return { name, isDefault: defaultName.test(name) };
}
