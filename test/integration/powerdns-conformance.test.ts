import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Change, DnsProvider, Zone } from '../../src/dns/providers/provider.js';
import type { DnsRecord } from '../../src/dns/record.js';
import { makePowerDnsWorld, startPowerDns } from '../conformance/powerdns-world.js';
import type { RealDaemon } from '../conformance/real-daemon.js';
import { describeConformance } from '../conformance/suite.js';
import type { World } from '../conformance/world.js';

let daemon: RealDaemon;
beforeAll(async () => {
  daemon = await startPowerDns();
});
afterAll(() => daemon?.close());

describeConformance('PowerDNS, against a real pdns_server', () => makePowerDnsWorld(daemon));

describe('PowerDNS beside what it refuses and hides', () => {
  const open = async (): Promise<{ world: World; provider: DnsProvider; zone: Zone }> => {
    const world = await makePowerDnsWorld(daemon);
    const provider = await world.open();
    return { world, provider, zone: (await provider.findZone(world.zone)) as Zone };
  };
  const create = (after: DnsRecord): Change => ({ op: 'create', after });
  const txt = (name: string, text: string): DnsRecord => ({ name, ttl: 300, data: { type: 'TXT', text } });

  it('writes the others when the server itself refuses one', async () => {
    const { world, provider, zone } = await open();
    const [one, two] = [txt(`one.${world.zone}`, '1'), txt(`two.${world.zone}`, '2')];
    const beside: DnsRecord = { name: one.name, ttl: 300, data: { type: 'CNAME', target: world.zone } };
    await provider.apply(zone, [create(one)]);
    const applied = await provider.apply(zone, [create(beside), create(two)]);
    expect(applied).toMatchObject([
      { ok: false, code: 'E_DNS_API', error: expect.stringMatching(/^HTTP 422: .*CNAME/) },
      { ok: true },
    ]);
    expect(await world.served(two.name, 'TXT')).toEqual(['"2"']);
  });

  it('neither lists a switched-off record nor loses it', async () => {
    const { world, provider, zone } = await open();
    const off = txt(`off.${world.zone}`, 'switched off');
    await world.seed(off);
    const flag = "UPDATE records SET disabled=1 WHERE name LIKE 'off.%';";
    expect((await daemon.exec(['sqlite3', '/mnt/pdns.db'], flag)).code).toBe(0);
    expect((await provider.list(zone)).some((record) => record.name === off.name)).toBe(false);
    const ours = txt(off.name, 'ours');
    expect(await provider.apply(zone, [create(ours)])).toMatchObject([{ ok: true }]);
    const [before] = (await provider.list(zone)).filter((record) => record.name === off.name);
    expect(await provider.apply(zone, [{ op: 'delete', before: before as DnsRecord }])).toEqual([
      { ok: true },
    ]);
    const left = "SELECT content, disabled FROM records WHERE name LIKE 'off.%';";
    expect((await daemon.exec(['sqlite3', '/mnt/pdns.db'], left)).stdout).toBe('"switched off"|1\n');
  });

  it('keeps the TTL of the set that a record joins', async () => {
    const { world, provider, zone } = await open();
    await world.seed({ ...txt(world.zone, 'theirs'), ttl: 7200 });
    await provider.apply(zone, [create(txt(world.zone, 'ours'))]);
    const set = (await provider.list(zone)).filter(
      ({ name, data }) => name === world.zone && data.type === 'TXT',
    );
    expect(set.map((record) => record.ttl)).toEqual([7200, 7200]);
  });

  it('names a wrong key, and the way out', async () => {
    const world = await makePowerDnsWorld(daemon);
    const provider = await world.open({ key: 'wrong' });
    await expect(provider.verify()).rejects.toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
  });
});
