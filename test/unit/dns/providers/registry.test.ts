import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findProvider, providers, recogniseProvider } from '../../../../src/dns/providers/index.js';

describe('provider registry', () => {
  it('finds a provider by its id, and has each id once', () => {
    expect(findProvider('cloudflare')?.title).toBe('Cloudflare');
    expect(findProvider('nobody')).toBeUndefined();
    expect(new Set(providers.map((provider) => provider.id)).size).toBe(providers.length);
  });

  it('has a world for each in which the conformance suite runs', () => {
    const written = providers.filter(({ capabilities }) => capabilities.manual !== true);
    for (const { id } of written) expect(existsSync(`test/conformance/${id}-world.ts`), id).toBe(true);
  });

  it.each([
    [['ada.ns.cloudflare.com', 'Bob.NS.Cloudflare.com.'], 'Cloudflare'],
    [['hydrogen.ns.hetzner.com', 'oxygen.ns.hetzner.com', 'helium.ns.hetzner.de'], 'Hetzner'],
    [['ns1.digitalocean.com', 'ns2.digitalocean.com'], 'DigitalOcean'],
    [['ns-12.awsdns-01.com', 'ns-1500.awsdns-59.org', 'ns-2000.awsdns-58.co.uk'], 'Amazon Route 53'],
  ])('recognises %j', (names, title) => {
    expect(recogniseProvider(names)).toMatchObject({ kind: 'supported', provider: { title } });
  });

  it.each([
    [['ns1.domaincontrol.com', 'ns2.domaincontrol.com'], 'GoDaddy', /ten or more domains/],
    [['ns1.your-server.de', 'ns1.first-ns.de'], 'Hetzner (konsoleH and Robot)', /Console/],
    [['dns1.registrar-servers.com', 'dns2.registrar-servers.com'], 'Namecheap', /whole zone/],
    [['ns1.porkbun.com', 'ns2.porkbun.com'], 'Porkbun', /not spoken here yet/],
  ])('knows %j by name only, and why', (names, title, why) => {
    expect(recogniseProvider(names)).toEqual({ kind: 'unsupported', title, why: expect.stringMatching(why) });
  });

  it('tells for each provider where its credentials are made, and under which names it reads them', () => {
    for (const { credentials, tokenUrl, rights, capabilities } of providers) {
      expect(tokenUrl).toMatch(/^https:\/\//);
      expect(rights).not.toBe('');
      for (const { env } of credentials) expect(env.length).toBeGreaterThan(0);
      expect(capabilities.minTtl).toBeLessThan(capabilities.maxTtl);
    }
  });

  it.each([
    [[]],
    [['ns1.example.test']],
    [['ada.ns.cloudflare.com', 'ns1.example.test']],
    [['ada.ns.cloudflare.com.evil.test']],
    [['evilns.cloudflare.com']],
  ])('does not guess for %j', (names) => {
    expect(recogniseProvider(names)).toEqual({ kind: 'unknown' });
  });
});
