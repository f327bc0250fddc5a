import { BaseRecords } from 'cloudflare/resources/dns/records';
import { BaseTokens } from 'cloudflare/resources/user/tokens/tokens';
import { BaseZones } from 'cloudflare/resources/zones/zones';
import { createClient } from 'cloudflare/tree-shakable';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, serveEmulator } from '../../../src/sandbox/cloudflare/server.js';
import { editToken, makeTestApi, zoneId, zoneName } from './api-client.js';

describe('the official SDK against the emulator', () => {
  const { emulator } = makeTestApi();
  let server: RunningServer;
  const open = () =>
    createClient({
      resources: [BaseRecords, BaseZones, BaseTokens],
      apiToken: editToken,
      apiKey: null,
      apiEmail: null,
      userServiceKey: null,
      baseURL: server.baseUrl,
      maxRetries: 0,
    });
  const zone = { zone_id: zoneId };

  beforeAll(async () => {
    server = await serveEmulator(emulator);
  });
  afterAll(() => server.close());

  it('verifies the token and pages through zones until an empty page', async () => {
    const client = open();
    expect(await client.user.tokens.verify()).toMatchObject({ status: 'active' });
    for (let index = 0; index < 24; index++) emulator.addZone({ name: `n${index}.test` });
    const names: string[] = [];
    for await (const { name } of client.zones.list({ per_page: 10 })) names.push(name);
    expect(names).toHaveLength(25);
    expect(await client.zones.get(zone)).toMatchObject({ name: zoneName, status: 'active' });
  });

  it('creates, gets, edits, updates and deletes a record', async () => {
    const { records } = open().dns;
    const record = { ...zone, type: 'A', name: 'www', ttl: 300, content: '198.51.100.1' } as const;
    const { id } = await records.create({ ...record, comment: 'one' });
    expect(await records.edit(id, { ...record, content: '198.51.100.2' })).toMatchObject({ comment: 'one' });
    expect(await records.get(id, zone)).toMatchObject({ content: '198.51.100.2' });
    expect(await records.update(id, { ...record, content: '198.51.100.3' })).toMatchObject({ comment: null });
    expect(await records.delete(id, zone)).toEqual({ id });
    await expect(records.get(id, zone)).rejects.toMatchObject({ status: 404, errors: [{ code: 81044 }] });
    await expect(records.create({ ...record, content: 'x' })).rejects.toMatchObject({
      errors: [{ code: 9005 }],
    });
  });

  it('filters by operators and pages through records', async () => {
    const { records } = open().dns;
    const posts = Array.from({ length: 30 }, (_, index) => ({
      type: 'TXT' as const,
      name: `t${index}.${zoneName}`,
      ttl: 300 as const,
      content: `"value ${index}"`,
      comment: index % 2 === 0 ? 'smtp-setup/1 abc txt' : 'theirs',
    }));
    const batch = await records.batch({ ...zone, posts });
    expect(batch.posts).toHaveLength(30);
    const seen: string[] = [];
    for await (const { name } of records.list({ ...zone, per_page: 7, type: 'TXT' })) seen.push(name);
    expect(new Set(seen).size).toBe(30);
    const count = async (filter: object): Promise<number> => {
      let found = 0;
      for await (const _ of records.list({ ...zone, ...filter })) found += 1;
      return found;
    };
    expect(await count({ comment: { startswith: 'smtp-setup/1' } })).toBe(15);
    expect(await count({ name: { exact: `t3.${zoneName}` } })).toBe(1);
    expect(await count({ content: { contains: 'value 1' }, match: 'all' })).toBe(11);
  });

  it('exports the zone and imports a file', async () => {
    const { records } = open().dns;
    expect(await records.export(zone)).toContain(`t3.${zoneName}.\t300\tIN\tTXT\t"value 3"`);
    const file = `new.${zoneName}. 300 IN A 198.51.100.9\n`;
    expect(await records.import({ ...zone, file })).toMatchObject({ recs_added: 1, total_records_parsed: 1 });
  });
});
