import { describe, expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.js';
import { isWithin } from '../../../src/dns/canonical.js';
import type { DnsProvider } from '../../../src/dns/providers/provider.js';
import { requireProvider } from '../../../src/pipeline/open-provider.js';
import type { Resolvers } from '../../../src/pipeline/open-resolvers.js';
import type { Session } from '../../../src/pipeline/session.js';
import { createZoneCache, surveyZones } from '../../../src/pipeline/survey.js';

type Holdings = Readonly<Record<string, readonly string[]>>;

/** The zones that are read for `hostname`, given what each provider holds; only these providers can be opened. */
async function zonesOf(
  hostname: string,
  domains: Record<string, object>,
  holdings: Holdings,
  api: Partial<Pick<DnsProvider, 'findZone' | 'list'>> = {},
) {
  const hosts = [hostname, ...Object.values(domains).flatMap((it) => ('server' in it ? [it.server] : []))];
  const profile = Object.values(domains).some((it) => 'backup' in it) ? { profile: 'backup-mx' } : {};
  const config = configSchema.parse({
    version: 1,
    servers: Object.fromEntries(
      hosts.map((host) => [host, { ssh: 'root@198.51.100.7', ...(host === hostname ? profile : {}) }]),
    ),
    domains,
  });
  const cache = createZoneCache();
  for (const [id, names] of Object.entries(holdings)) {
    const provider = {
      findZone: async (name: string) => {
        const [best] = names.filter((zone) => isWithin(name, zone)).sort((a, b) => b.length - a.length);
        return best === undefined ? null : { id: best, name: best, nameServers: [], state: 'active' };
      },
      list: async () => [],
      ...api,
    } as unknown as DnsProvider;
    const open = { definition: requireProvider(id), provider, credentials: {}, detail: '' };
    cache.providers.set(id, Promise.resolve(open));
  }
  const session = { context: { clock: () => 0 }, lock: { domains: {} } } as unknown as Session;
  const zones = await surveyZones(session, config, hostname, {} as Resolvers, cache);
  return zones.map(({ open, zone }) => `${open.definition.id} ${zone.name}`);
}

const cloudflare = { dns: 'cloudflare' };
const hetzner = { dns: 'hetzner' };

describe('the zones of a server', () => {
  it('are with that of its name, however many domains there are beside it', async () => {
    const holdings = { cloudflare: ['one.org', 'two.org', 'provider.net'] };
    expect(await zonesOf('mx.provider.net', { 'one.org': cloudflare }, holdings)).toEqual([
      'cloudflare one.org',
      'cloudflare provider.net',
    ]);
    const two = { 'one.org': cloudflare, 'two.org': cloudflare };
    expect(await zonesOf('mx.provider.net', two, holdings)).toEqual([
      'cloudflare one.org',
      'cloudflare two.org',
      'cloudflare provider.net',
    ]);
  });

  it('have the one of its name at whichever provider of its domains has it', async () => {
    const domains = { 'one.org': { dns: 'manual' }, 'two.org': cloudflare, 'three.org': hetzner };
    const holdings = { cloudflare: ['two.org'], hetzner: ['three.org', 'provider.net'] };
    const byHand = ['one.org', 'provider.net'];
    expect(await zonesOf('mx.provider.net', domains, { ...holdings, manual: byHand })).toContain(
      'hetzner provider.net',
    );
    const elsewhere = { ...holdings, hetzner: ['three.org'], manual: byHand };
    expect(await zonesOf('mx.provider.net', domains, elsewhere)).toContain('manual provider.net');
  });

  it('are each read once, and a name within a domain costs no other provider', async () => {
    const domains = { 'one.org': cloudflare, 'two.org': hetzner };
    const holdings = { cloudflare: ['one.org'], hetzner: ['two.org', 'one.org'] };
    expect(await zonesOf('mail.one.org', domains, holdings)).toEqual([
      'cloudflare one.org',
      'hetzner two.org',
    ]);
    expect(
      await zonesOf('mx.mail.one.org', domains, { ...holdings, cloudflare: ['one.org', 'mail.one.org'] }),
    ).toEqual(['cloudflare one.org', 'hetzner two.org', 'cloudflare mail.one.org']);
  });

  it('are, for a name within a domain of another server, where that domain is', async () => {
    const domains = {
      'one.org': { ...cloudflare, server: 'mail.one.org' },
      'two.org': { ...hetzner, server: 'mx2.one.org' },
    };
    const holdings = { cloudflare: ['one.org'], hetzner: ['two.org'] };
    expect(await zonesOf('mx2.one.org', domains, holdings)).toEqual([
      'hetzner two.org',
      'cloudflare one.org',
    ]);
  });

  it('are for a backup that of its name only', async () => {
    const backup = 'mx.provider.net';
    const server = 'mail.one.org';
    const domains = {
      'one.org': { ...cloudflare, backup, server },
      'two.org': { ...hetzner, backup, server },
    };
    const holdings = { cloudflare: ['one.org'], hetzner: ['two.org', 'provider.net'] };
    expect(await zonesOf(backup, domains, holdings)).toEqual(['hetzner provider.net']);
  });

  it('are read when all are found: no failure comes before somebody waits for it', async () => {
    const done: string[] = [];
    const domains = { 'one.org': cloudflare };
    const zone = { id: '1', name: 'one.org', nameServers: [], state: 'active' } as const;
    const api: Parameters<typeof zonesOf>[3] = {
      findZone: async (name) => {
        await new Promise(setImmediate);
        done.push(`found ${name}`);
        return zone;
      },
      list: async () => {
        done.push('read');
        throw new Error('HTTP 403');
      },
    };
    await expect(zonesOf('mail.one.org', domains, { cloudflare: [] }, api)).rejects.toThrow('HTTP 403');
    expect(done).toEqual(['found one.org', 'found mail.one.org', 'read']);
  });

  it('are refused when nobody has the one of its name', async () => {
    const domains = { 'one.org': cloudflare, 'two.org': hetzner };
    const holdings = { cloudflare: ['one.org'], hetzner: ['two.org'] };
    await expect(zonesOf('mx.provider.net', domains, holdings)).rejects.toMatchObject({
      code: 'E_NO_ZONE',
      exit: 2,
      message: expect.stringMatching(
        /^None of Cloudflare, Hetzner.* has a zone that holds mx\.provider\.net,/,
      ),
      fix: expect.arrayContaining([expect.stringContaining('--hostname mail.one.org')]),
    });
    await expect(zonesOf('mail.one.org', domains, { ...holdings, hetzner: [] })).rejects.toMatchObject({
      code: 'E_NO_ZONE',
      message: expect.stringContaining('has no zone that holds two.org,'),
    });
  });
});
