import { describe, expect, it } from 'vitest';
import type { Dmi } from '../../../src/facts/dmi.js';
import { hostingProviders, recogniseHosting } from '../../../src/hosting/providers.js';

const none: Dmi = { vendor: '', product: '', bios: '', board: '', asset: '', cloud: '' };

describe('VPS providers', () => {
  it.each<[Partial<Dmi>, string | undefined]>([
    [{ vendor: 'Hetzner', product: 'vServer' }, 'hetzner'],
    [{ vendor: 'DigitalOcean', product: 'Droplet' }, 'digitalocean'],
    [{ vendor: 'Vultr' }, 'vultr'],
    [{ vendor: 'Akamai', product: 'Compute Instance' }, 'akamai'],
    [{ vendor: 'Amazon EC2' }, 'aws'],
    [{ vendor: 'Google', product: 'Google Compute Engine' }, 'google'],
    [{ vendor: 'Microsoft Corporation', asset: '7783-7084-3265-9085-8269-3286-77' }, 'azure'],
    [{ vendor: 'Microsoft Corporation' }, undefined],
    [{ vendor: 'QEMU', asset: 'OracleCloud.com' }, 'oracle'],
    [{ vendor: 'QEMU', cloud: 'scaleway' }, 'scaleway'],
    [{ vendor: 'QEMU' }, undefined],
    [{ vendor: 'OpenStack Foundation', product: 'OpenStack Nova' }, undefined],
  ])('%o is %s', (dmi, id) => {
    expect(recogniseHosting({ ...none, ...dmi })?.id).toBe(id);
  });

  it('each say how port 25 is opened and where the PTR is set', () => {
    for (const { name, port25, ptr } of hostingProviders) {
      expect(port25.length, name).toBeGreaterThan(40);
      expect(ptr.length, name).toBeGreaterThan(20);
    }
  });
});
