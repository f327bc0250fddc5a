import { describe, expect, it } from 'vitest';
import { parseZoneRead, renderKnotConfig } from '../../../src/sandbox/services/knot-config.js';
import { renderUnboundConfig } from '../../../src/sandbox/services/resolver.js';
import {
  absolute,
  enclosingZone,
  LAB_NAME_SERVERS,
  prerequisitesOf,
  renderDelegation,
  renderZoneFile,
  type Zone,
} from '../../../src/sandbox/services/zone.js';

function zone(name: string, nameServers: readonly string[] = LAB_NAME_SERVERS): Zone {
  return { name, nameServers, signed: true };
}

describe('a zone of the tree', () => {
  it('needs its top-level domain and the homes of its name servers first', () => {
    expect(prerequisitesOf(zone('rehearsal.test.'))).toEqual(['test.']);
    expect(prerequisitesOf(zone('example.org.'))).toEqual(['org.', 'test.']);
    expect(prerequisitesOf(zone('example.org.', ['ada.ns.cloudflare.com.']))).toEqual([
      'org.',
      'com.',
      'cloudflare.com.',
    ]);
    expect(prerequisitesOf(zone('example.org.', ['ns1.example.org.']))).toEqual(['org.']);
    expect(prerequisitesOf(zone('100.51.198.in-addr.arpa.'))).toEqual(['test.']);
    expect(prerequisitesOf(zone('com.'))).toEqual(['test.']);
  });

  it('hangs below the closest zone there is', () => {
    const zones = ['.', 'test.', 'rehearsal.test.'];
    expect(enclosingZone('rehearsal.test.', zones)).toBe('test.');
    expect(enclosingZone('www.rehearsal.test.', zones)).toBe('rehearsal.test.');
    expect(enclosingZone('notrehearsal.test.', zones)).toBe('test.');
    expect(enclosingZone('example.org.', zones)).toBe('.');
    expect(absolute('Example.ORG')).toBe('example.org.');
  });

  it('starts with its SOA, its servers, and their addresses where they are its own', () => {
    expect(renderZoneFile(zone('example.org.', ['ns.example.org.']), true)).toBe(
      [
        'example.org. 60 SOA ns.example.org. hostmaster.example.org. 1 3600 600 86400 1',
        'example.org. 300 NS ns.example.org.',
        'ns.example.org. 300 A 198.51.100.53',
        'ns.example.org. 300 AAAA 2001:db8::53',
        '',
      ].join('\n'),
    );
    expect(renderZoneFile(zone('test.'), false)).toContain('acme.test. 300 A 198.51.100.14');
    expect(renderZoneFile(zone('test.'), false)).not.toContain('AAAA');
  });

  it('is delegated with glue only where it is needed', () => {
    expect(renderDelegation(zone('example.org.', ['ns.example.org.']), false)).toEqual([
      'example.org. 300 NS ns.example.org.',
      'ns.example.org. 300 A 198.51.100.53',
    ]);
    expect(renderDelegation(zone('example.org.', ['ada.ns.cloudflare.com.']), true)).toEqual([
      'example.org. 300 NS ada.ns.cloudflare.com.',
    ]);
  });

  it('is read back without what the server adds for DNSSEC', () => {
    const text = [
      '[a.test.] a.test. 300 TXT "v=spf1 [x] -all"',
      '[a.test.] a.test. 0 DNSKEY 257 3 13 abc',
      '[a.test.] a.test. 300 RRSIG TXT 13 2 300 …',
      '[a.test.] a.test. 1 NSEC a.test. TXT RRSIG',
      '',
    ].join('\n');
    expect(parseZoneRead(text)).toEqual(['a.test. 300 TXT "v=spf1 [x] -all"']);
  });
});

describe('the servers’ configurations', () => {
  it('sign what is to be signed and nothing else', () => {
    const zones = [zone('.'), { ...zone('plain.org.'), signed: false }];
    const config = renderKnotConfig({ zones, tsigSecret: 'c2VjcmV0' });
    expect(config).toContain('  - domain: .\n    file: root.zone\n    dnssec-signing: on\n');
    expect(config).toMatch(/ {2}- domain: plain\.org\.\n {4}file: plain\.org\.zone\n$/);
    expect(config).toContain('secret: c2VjcmV0');
  });

  it('of the resolver follow the lab’s addresses', () => {
    expect(renderUnboundConfig(true)).toContain('interface: ::0');
    expect(renderUnboundConfig(false)).not.toContain('interface: ::0');
    expect(renderUnboundConfig(false)).toContain('do-ip6: no');
  });
});
