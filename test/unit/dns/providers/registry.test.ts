import { describe, expect, it } from 'vitest';
import { findProvider, providers, recogniseProvider } from '../../../../src/dns/providers/index.js';

describe('provider registry', () => {
  it('finds a provider by its id, and has each id once', () => {
    expect(findProvider('cloudflare')?.title).toBe('Cloudflare');
    expect(findProvider('nobody')).toBeUndefined();
    expect(new Set(providers.map((provider) => provider.id)).size).toBe(providers.length);
  });

  it.each([[['ada.ns.cloudflare.com', 'Bob.NS.Cloudflare.com.'], 'Cloudflare']])(
    'recognises %j',
    (names, title) => {
      expect(recogniseProvider(names)).toMatchObject({ kind: 'supported', provider: { title } });
    },
  );

  it.each([
    [['ns1.domaincontrol.com', 'ns2.domaincontrol.com'], 'GoDaddy'],
    [['ns-12.awsdns-01.com', 'ns-1500.awsdns-59.org', 'ns-2000.awsdns-58.co.uk'], 'Amazon Route 53'],
    [['hydrogen.ns.hetzner.com', 'oxygen.ns.hetzner.com'], 'Hetzner'],
    [['dns1.registrar-servers.com', 'dns2.registrar-servers.com'], 'Namecheap'],
  ])('knows %j by name only', (names, title) => {
    expect(recogniseProvider(names)).toEqual({ kind: 'unsupported', title });
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
