import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Zone } from '../../src/dns/providers/provider.js';
import type { DnsRecord } from '../../src/dns/record.js';
import type { RealDaemon } from '../conformance/real-daemon.js';
import { makeRfc2136World, secret, startKnot, startNamed } from '../conformance/rfc2136-world.js';
import { describeConformance } from '../conformance/suite.js';

describe.each([
  ['knotd, with a signed zone', startKnot],
  ['named', startNamed],
])('%s', (title, start) => {
  let daemon: RealDaemon;
  beforeAll(async () => {
    daemon = await start();
  });
  afterAll(() => daemon?.close());

  describeConformance(`dynamic updates at ${title}`, () => makeRfc2136World(daemon));

  const txt = (name: string, text: string, ttl = 300): DnsRecord => ({
    name,
    ttl,
    data: { type: 'TXT', text },
  });
  const openZone = async () => {
    const world = await makeRfc2136World(daemon);
    const provider = await world.open();
    return { world, provider, zone: (await provider.findZone(world.zone)) as Zone };
  };

  it('keeps the TTL of a set that a record joins, and moves it when an update asks for it', async () => {
    const { world, provider, zone } = await openZone();
    await world.seed(txt(zone.name, 'theirs', 7200));
    expect(await provider.apply(zone, [{ op: 'create', after: txt(zone.name, 'ours') }])).toMatchObject([
      { ok: true },
    ]);
    const set = async () =>
      (await provider.list(zone)).filter(({ name, data }) => name === zone.name && data.type === 'TXT');
    expect((await set()).map((record) => record.ttl)).toEqual([7200, 7200]);
    const before = (await set()).find(({ data }) => data.type === 'TXT' && data.text === 'ours') as DnsRecord;
    await provider.apply(zone, [{ op: 'update', before, after: txt(zone.name, 'ours', 600) }]);
    expect((await set()).map((record) => record.ttl)).toEqual([600, 600]);
    await world.close();
  });

  it('deletes a value that is cut into other pieces than ours would be', async () => {
    const { world, provider, zone } = await openZone();
    const name = `cut.${zone.name}`;
    const key = ['-y', `hmac-sha256:client:${secret}`, '-v'];
    const script = `server 127.0.0.1\nzone ${zone.name}.\nupdate add ${name}. 60 TXT "in " "two pieces"\nsend\n`;
    expect((await daemon.exec(['nsupdate', ...key], script)).code).toBe(0);
    const before = (await provider.list(zone)).find((record) => record.name === name) as DnsRecord;
    expect(before.data).toEqual({ type: 'TXT', text: 'in two pieces' });
    expect(await provider.apply(zone, [{ op: 'delete', before }])).toEqual([{ ok: true }]);
    expect(await world.served(name, 'TXT')).toEqual([]);
  });

  it('does not take a CNAME for written that the server ignored in silence', async () => {
    const { world, provider, zone } = await openZone();
    const name = `both.${zone.name}`;
    await world.seed(txt(name, 'stands here'));
    const after: DnsRecord = { name, ttl: 300, data: { type: 'CNAME', target: zone.name } };
    const good = txt(`good.${zone.name}`, 'x');
    expect(
      await provider.apply(zone, [
        { op: 'create', after },
        { op: 'create', after: good },
      ]),
    ).toMatchObject([
      { ok: false, code: 'E_DNS_DRIFT', error: 'the server answered YXDOMAIN' },
      { ok: true },
    ]);
    await world.close();
  });

  it.each([
    ['a wrong secret', { secret: Buffer.from('another secret').toString('base64') }, /BADSIG/],
    ['an unknown key', { keyName: 'nobody' }, /BADKEY/],
    ['the wrong algorithm', { algorithm: 'HMAC-SHA512.' }, /BADKEY/],
  ])('says that the key is refused because of %s', async (_why, credentials, said) => {
    const world = await makeRfc2136World(daemon);
    const provider = await world.open(credentials);
    const trial = provider.verify().then(() => provider.findZone(world.zone));
    await expect(trial).rejects.toMatchObject({
      code: 'E_DNS_TOKEN',
      exit: 2,
      evidence: [expect.stringMatching(said)],
    });
  });

  it('says which line of the server is missing when the key may update but not transfer', async () => {
    const world = await makeRfc2136World(daemon);
    const provider = await world.open({ keyName: 'writer', algorithm: 'hmac-sha512' });
    const zone = (await provider.findZone(world.zone)) as Zone;
    await expect(provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_TRANSFER', exit: 2 });
  });
});
