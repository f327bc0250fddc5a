import { describe, expect, it } from 'vitest';
import { cacheDirFrom } from '../../../src/sandbox/cache-dir.js';
import { imageKey, RECIPES } from '../../../src/sandbox/images/recipes.js';
import {
  addressOf,
  HOSTS,
  IPV4_REVERSE_ZONE,
  IPV6_REVERSE_ZONE,
  namespaceOf,
  requireLabName,
  reverseName,
} from '../../../src/sandbox/layout.js';
import { portName } from '../../../src/sandbox/net/network.js';

describe('the layout of a lab', () => {
  it('names addresses in reverse', () => {
    expect(reverseName('198.51.100.25')).toBe('25.100.51.198.in-addr.arpa.');
    const long = '5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.';
    expect(reverseName('2001:db8::25')).toBe(long);
    expect(reverseName('2001:DB8:0:0:0:0:0:25')).toBe(long);
    expect(reverseName('::1')).toBe(`1.${'0.'.repeat(31)}ip6.arpa.`);
  });

  it('keeps every host in the reverse zones, at an address of its own', () => {
    const lasts = Object.values(HOSTS);
    expect(new Set(lasts).size).toBe(lasts.length);
    for (const last of lasts) {
      const { ipv4, ipv6 = '' } = addressOf(last, true);
      expect(reverseName(ipv4)).toMatch(new RegExp(`\\.${IPV4_REVERSE_ZONE}$`));
      expect(reverseName(ipv6)).toMatch(new RegExp(`\\.${IPV6_REVERSE_ZONE}$`));
    }
    expect(addressOf(25, false)).toEqual({ ipv4: '198.51.100.25' });
  });

  it('accepts only lab names that fit everywhere', () => {
    for (const good of ['a', 'default', 'trial-2', 'a'.repeat(20)])
      expect(() => requireLabName(good)).not.toThrow();
    for (const bad of ['', '-a', 'a-', 'A', 'a/b', '..', 'a b', 'a'.repeat(21), '.images']) {
      expect(() => requireLabName(bad), bad).toThrow(
        expect.objectContaining({ code: 'E_SANDBOX_NAME', exit: 2 }),
      );
    }
  });

  it('keeps within the kernel’s limit for interface names and systemd’s for machine names', () => {
    for (const host of [...Object.keys(HOSTS), 'a'.repeat(12)]) {
      expect(portName(host).length).toBeLessThanOrEqual(15);
      expect(namespaceOf('a'.repeat(20), host).length).toBeLessThanOrEqual(64);
    }
    expect(portName('a'.repeat(12))).toBe(`p-${'a'.repeat(12)}`);
  });

  it('finds the cache where the environment says', () => {
    expect(cacheDirFrom({ SMTP_SETUP_CACHE: '/c', XDG_CACHE_HOME: '/x' })).toBe('/c');
    expect(cacheDirFrom({ XDG_CACHE_HOME: '/x' })).toBe('/x/smtp-setup/sandbox');
    expect(cacheDirFrom({ XDG_CACHE_HOME: '' })).toMatch(/\/\.cache\/smtp-setup\/sandbox$/);
  });

  it('gives a changed image recipe another name', () => {
    const recipe = RECIPES['debian-12'];
    expect(imageKey(recipe)).toMatch(/^debian-12-[0-9a-f]{10}$/);
    expect(imageKey({ ...recipe, packages: [...recipe.packages, 'less'] })).not.toBe(imageKey(recipe));
    expect(imageKey({ ...recipe, finish: [] })).not.toBe(imageKey(recipe));
  });
});
