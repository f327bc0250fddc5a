import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCloudflare, startCloudflare } from '../../src/sandbox/cloudflare/start-cloudflare.js';
import type { ZoneBackend, ZoneRecord } from '../../src/sandbox/cloudflare/zone-backend.js';
import { createLab, type Lab } from '../../src/sandbox/index.js';
import { type CloudflareWorld, makeCloudflareWorld } from '../conformance/cloudflare-world.js';
import { describeConformance } from '../conformance/suite.js';

let lab: Lab;
beforeAll(async () => {
  lab = await createLab({ name: `provider-${process.pid}`, services: ['dns', 'resolver'] });
});
afterAll(() => lab?.down());

/** What the lab's name server answers itself, without a cache between. */
async function ask(name: string, type: string): Promise<string[]> {
  const { host } = lab.dns;
  const answer = await host.exec(['kdig', `@${host.ipv4}`, '+short', '+norec', '+tcp', name, type]);
  expect(answer.code, answer.stdout + answer.stderr).toBe(0);
  // kdig ends a CAA value with a blank.
  const lines = answer.stdout.split('\n').map((line) => line.trimEnd());
  return lines.filter((line) => line !== '');
}

/** The emulator over the lab's knotd; each world leaves the zone as it found it. */
async function makeKnotWorld(): Promise<CloudflareWorld> {
  const line = ({ name, ttl, type, rdata }: ZoneRecord): string => `add ${name}. ${ttl} ${type} ${rdata}`;
  const backend: ZoneBackend = {
    update: async (zone, { add, remove }) => {
      const lines = [...remove.map((r) => `delete ${r.name}. ${r.type} ${r.rdata}`), ...add.map(line)];
      // An update message has 64 KiB at most.
      for (let at = 0; at < lines.length; at += 100) await lab.dns.update(zone, lines.slice(at, at + 100));
    },
  };
  const world = await makeCloudflareWorld(lab.domain, { zone: backend, served: ask });
  return {
    ...world,
    close: async () => {
      await world.emulator.zoneNamed(lab.domain).clear();
      expect((await lab.dns.readZone(lab.domain)).filter((record) => !/ (SOA|NS) /.test(record))).toEqual([]);
      await world.close();
    },
  };
}

describeConformance('Cloudflare over a real, signed zone in knotd', makeKnotWorld);

describe('the emulator as a host of the lab', () => {
  it('takes calls inside the lab, publishes them, and is found again', async () => {
    const { baseUrl, token, control } = await startCloudflare(lab);
    const call = async (
      path: string,
      data?: object,
    ): Promise<{ success: boolean; result: { id: string }[] }> => {
      const body = data ? ['-H', 'Content-Type: application/json', '--data', JSON.stringify(data)] : [];
      const argv = ['-sS', '-H', `Authorization: Bearer ${token}`, ...body, `${baseUrl}${path}`];
      const answer = await lab.dns.host.exec(['curl', ...argv]);
      expect(answer.code, answer.stderr).toBe(0);
      return JSON.parse(answer.stdout);
    };
    const zones = await call(`/zones?name=${lab.domain}`);
    const id = zones.result[0]?.id;
    const record = { type: 'A', name: 'www', content: '198.51.100.7', ttl: 300 };
    expect((await call(`/zones/${id}/dns_records`, record)).success).toBe(true);
    expect(await ask(`www.${lab.domain}`, 'A')).toEqual(['198.51.100.7']);
    expect(await control.writeCount()).toBe(1);
    const again = await openCloudflare(lab);
    expect(again).toMatchObject({ baseUrl, token });
    expect(await again?.control.records(lab.domain)).toHaveLength(1);
    // The whole way of a user's answer: through the validating resolver.
    const answer = await lab.dns.host.exec(['kdig', `@${lab.resolver}`, '+dnssec', `www.${lab.domain}`, 'A']);
    expect(answer.stdout).toMatch(/Flags: qr rd ra ad/);
  });
});
