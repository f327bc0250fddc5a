import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatData, sameRecord } from '../../src/dns/canonical.js';
import type { Change, DnsProvider, Zone } from '../../src/dns/providers/provider.js';
import type { DnsRecord, LiveRecord } from '../../src/dns/record.js';
import { parseTxt } from '../../src/dns/txt.js';
import type { World } from './world.js';

const txt = (name: string, text: string, ttl = 300): DnsRecord => ({
  name,
  ttl,
  data: { type: 'TXT', text },
});
const mark = 'smtp-setup/1 abc123 test';

/** What every provider must do, compared with what a name server answers. */
export function describeConformance(title: string, makeWorld: () => Promise<World>): void {
  describe(title, () => {
    let world: World;
    let provider: DnsProvider;
    let zone: Zone;

    beforeEach(async () => {
      world = await makeWorld();
      provider = await world.open();
      const found = await provider.findZone(world.zone);
      expect(found).not.toBeNull();
      zone = found as Zone;
      await world.resetWrites();
    });
    afterEach(() => world.close());

    const create = (...records: DnsRecord[]): Change[] =>
      records.map((after) => ({ op: 'create', after, mark }));
    const apply = async (changes: Change[]): Promise<void> => {
      const applied = await provider.apply(zone, changes);
      expect(applied.filter((result) => !result.ok)).toEqual([]);
      expect(applied).toHaveLength(changes.length);
    };
    const find = async (record: DnsRecord): Promise<LiveRecord | undefined> =>
      (await provider.list(zone)).find((live) => sameRecord(live, record));
    const live = async (record: DnsRecord): Promise<LiveRecord> => {
      const found = await find(record);
      expect(found, formatData(record.data)).toBeDefined();
      return found as LiveRecord;
    };
    /** The API and the name server both hold exactly these values at the name. */
    const expectServed = async (name: string, type: string, records: readonly DnsRecord[]): Promise<void> => {
      const plain = (value: string): string => (type === 'TXT' ? parseTxt(value) : value.toLowerCase());
      const wanted = records.map((record) => plain(formatData(record.data))).sort();
      const listed = (await provider.list(zone)).filter((r) => r.name === name && r.data.type === type);
      expect(listed.map((record) => plain(formatData(record.data))).sort()).toEqual(wanted);
      expect((await world.served(name, type)).map(plain).sort()).toEqual(wanted);
    };

    it('verifies its credentials without writing', async () => {
      expect((await provider.verify()).detail).not.toBe('');
      expect(await world.writeCount()).toBe(0);
    });

    it('finds the zone of a name deep below the apex, and none for a foreign name', async () => {
      expect((await provider.findZone(`a.b.c.${world.zone}`))?.name).toBe(world.zone);
      expect(await provider.findZone('nobody-has-this.example')).toBeNull();
      expect(zone.state).toBe('active');
      expect(zone.nameServers.length).toBeGreaterThan(0);
    });

    it('writes every record type that mail needs, and reads the same back', async () => {
      const at = (label: string, data: DnsRecord['data']): DnsRecord => ({
        name: `${label}.${world.zone}`,
        ttl: 3600,
        data,
      });
      const all = [
        at('mail', { type: 'A', address: '198.51.100.25' }),
        at('mail', { type: 'AAAA', address: '2001:db8::25' }),
        at('www', { type: 'CNAME', target: `mail.${world.zone}` }),
        at('sub', { type: 'MX', preference: 10, exchange: `mail.${world.zone}` }),
        ...(world.capabilities.nullMx
          ? [at('none', { type: 'MX' as const, preference: 0, exchange: '' })]
          : []),
        at('_imaps._tcp', { type: 'SRV', priority: 0, weight: 1, port: 993, target: `mail.${world.zone}` }),
        at('_imap._tcp', { type: 'SRV', priority: 0, weight: 0, port: 0, target: '' }),
        at('caa', {
          type: 'CAA',
          flags: 0,
          tag: 'issue',
          value: 'letsencrypt.org; validationmethods=http-01',
        }),
        at('plain-caa', { type: 'CAA', flags: 0, tag: 'issue', value: 'letsencrypt.org' }),
        at('_25._tcp.mail', { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'ab'.repeat(32) }),
      ].filter((record) => world.capabilities.types.has(record.data.type as 'A'));
      const refused = all.filter(({ name }) =>
        world.refuses?.some((label) => name === `${label}.${world.zone}`),
      );
      for (const record of refused) expect(provider.audit(record), record.name).not.toEqual([]);
      const records = all.filter((record) => !refused.includes(record));
      expect(records.flatMap((record) => provider.audit(record))).toEqual([]);
      await apply(create(...records));
      for (const record of records) {
        expect((await live(record)).ttl).toBe(record.ttl);
        const same = records.filter((r) => r.name === record.name && r.data.type === record.data.type);
        await expectServed(record.name, record.data.type, same);
      }
    });

    it('adds a TXT at the apex beside those of others, which survive', async () => {
      const theirs = [txt(world.zone, 'google-site-verification=abc'), txt(world.zone, 'MS=ms123')];
      for (const record of theirs) await world.seed(record);
      const ours = txt(world.zone, 'v=spf1 a:mail.example.test -all');
      await apply(create(ours));
      await expectServed(world.zone, 'TXT', [...theirs, ours]);
      await apply([{ op: 'delete', before: await live(ours) }]);
      await expectServed(world.zone, 'TXT', theirs);
    });

    it('writes a DKIM key of more than 400 bytes in pieces that join to the same value', async () => {
      const key = txt(
        `s202611._domainkey.${world.zone}`,
        `v=DKIM1; k=rsa; p=${'MIIBIjANBgkqhkiG9w0B/+'.repeat(18)}`,
      );
      await apply(create(key));
      await expectServed(key.name, 'TXT', [key]);
    });

    it('keeps quotes, backslashes, semicolons, blanks and bytes beyond ASCII as they are', async () => {
      const values = [
        'say "hi"; then \\ leave',
        'a;b;c',
        'two  blanks',
        'grüße',
        'v=DMARC1; p=none',
        '\\034',
      ];
      const records = values
        .map((value, index) => txt(`t${index}.${world.zone}`, value))
        .filter((record) => provider.audit(record).length === 0);
      expect(records.length).toBeGreaterThan(2);
      await apply(create(...records));
      for (const record of records) await expectServed(record.name, 'TXT', [record]);
      expect(await world.writeCount()).toBeGreaterThan(0);
      await world.resetWrites();
      await apply(create(...records));
      expect(await world.writeCount(), 'writing the same again changes nothing').toBe(0);
    });

    it('reads a zone of more than a thousand records completely', async () => {
      const records = Array.from({ length: 1203 }, (_, index) =>
        txt(`bulk${index}.${world.zone}`, `value ${index}`),
      );
      await world.seedMany(records);
      const names = new Set((await provider.list(zone)).map((record) => record.name));
      expect(records.filter((record) => !names.has(record.name))).toEqual([]);
    });

    it('updates one record in place and undoes it', async () => {
      const before = txt(`_dmarc.${world.zone}`, 'v=DMARC1; p=none');
      const after = txt(`_dmarc.${world.zone}`, 'v=DMARC1; p=quarantine', 3600);
      await apply(create(before));
      await apply([{ op: 'update', before: await live(before), after, mark }]);
      expect((await live(after)).ttl).toBe(3600);
      await expectServed(before.name, 'TXT', [after]);
      await apply([{ op: 'update', before: await live(after), after: before, mark }]);
      await expectServed(before.name, 'TXT', [before]);
      await apply([{ op: 'delete', before: await live(before) }]);
      await expectServed(before.name, 'TXT', []);
    });

    it('leaves alone a record that changed between plan and apply', async () => {
      const planned = txt(`drift.${world.zone}`, 'as planned');
      await world.seed(planned);
      const before = await live(planned);
      await world.removeBehind(planned);
      const theirs = txt(planned.name, 'changed by someone else');
      await world.seed(theirs);
      await world.resetWrites();
      const after = txt(planned.name, 'ours');
      const [updated] = await provider.apply(zone, [{ op: 'update', before, after, mark }]);
      expect(updated).toMatchObject({ ok: false, code: 'E_DNS_DRIFT' });
      expect(await world.writeCount()).toBe(0);
      await expectServed(planned.name, 'TXT', [theirs]);
    });

    it('neither updates nor deletes a record that someone edited in place meanwhile', async () => {
      const planned = txt(`edited.${world.zone}`, 'as planned');
      const theirs = txt(planned.name, 'edited by someone else');
      await apply(create(planned));
      const before = await live(planned);
      await world.changeBehind(planned, theirs);
      await world.resetWrites();
      const after = txt(planned.name, 'ours');
      const refused = [{ ok: false, code: 'E_DNS_DRIFT' }];
      expect(await provider.apply(zone, [{ op: 'update', before, after, mark }])).toMatchObject(refused);
      // Members of a set have no identity but their value: an edited one cannot be told from one that is gone.
      const gone = world.capabilities.unit === 'rrset' ? [{ ok: true }] : refused;
      expect(await provider.apply(zone, [{ op: 'delete', before }])).toMatchObject(gone);
      expect(await world.writeCount()).toBe(0);
      await expectServed(planned.name, 'TXT', [theirs]);
    });

    it('takes a deletion for done when the record is gone already', async () => {
      const record = txt(`gone.${world.zone}`, 'x');
      await world.seed(record);
      const before = await live(record);
      await world.removeBehind(record);
      expect(await provider.apply(zone, [{ op: 'delete', before }])).toEqual([{ ok: true }]);
    });

    it('writes the good members of a batch and names the bad ones', async () => {
      const good = [txt(`good1.${world.zone}`, '1'), txt(`good2.${world.zone}`, '2')];
      const bad: DnsRecord = {
        name: `bad.${world.zone}`,
        ttl: 300,
        data: { type: 'CNAME', target: 'not a host' },
      };
      const applied = await provider.apply(zone, create(good[0] as DnsRecord, bad, good[1] as DnsRecord));
      expect(applied.map((result) => result.ok)).toEqual([true, false, true]);
      expect((applied[1] as { error: string }).error).not.toBe('');
      await expectServed(`good1.${world.zone}`, 'TXT', [good[0] as DnsRecord]);
      await expectServed(`good2.${world.zone}`, 'TXT', [good[1] as DnsRecord]);
      expect(await find(bad)).toBeUndefined();
    });

    it('refuses at plan time what the provider would refuse', () => {
      const { minTtl, maxTtl, maxTxt } = world.capabilities;
      expect(provider.audit(txt(world.zone, 'x', maxTtl + 1))).not.toEqual([]);
      if (minTtl > 1) expect(provider.audit(txt(world.zone, 'x', minTtl - 1))).not.toEqual([]);
      if (maxTxt) expect(provider.audit(txt(world.zone, 'x'.repeat(maxTxt + 1)))).not.toEqual([]);
      expect(provider.audit(txt(world.zone, 'x', 3600))).toEqual([]);
    });

    it('marks its own records and never overwrites a comment of the user', async () => {
      if (world.capabilities.marks === 'none' || !world.commentOf) return;
      const ours = txt(`ours.${world.zone}`, 'a');
      const theirs = txt(`theirs.${world.zone}`, 'a');
      await world.seed(theirs, { comment: 'ask Bob before touching this' });
      await apply(create(ours));
      expect(await world.commentOf(ours)).toBe(mark);
      expect((await live(ours)).mark).toBe(mark);
      expect((await live(theirs)).mark).toBeUndefined();
      const after = txt(theirs.name, 'b');
      await apply([{ op: 'update', before: await live(theirs), after, mark }]);
      expect(await world.commentOf(after)).toBe('ask Bob before touching this');
    });

    it('does not touch a record that the provider manages itself', async () => {
      if (!world.seedReadOnly) return;
      const record = txt(`managed.${world.zone}`, 'v=DKIM1; p=abc');
      await world.seedReadOnly(record);
      const before = await live(record);
      expect(before.readOnly).toBe(true);
      await world.resetWrites();
      const applied = await provider.apply(zone, [
        { op: 'delete', before },
        { op: 'update', before, after: txt(record.name, 'ours'), mark },
      ]);
      expect(applied).toMatchObject([
        { ok: false, code: 'E_DNS_READ_ONLY' },
        { ok: false, code: 'E_DNS_READ_ONLY' },
      ]);
      expect(await world.writeCount()).toBe(0);
      await expectServed(record.name, 'TXT', [record]);
    });

    describe('when the service misbehaves', () => {
      it('waits as long as a rate limit asks, then writes once', async () => {
        if (!world.faults) return;
        await world.faults.limitNextWrite(7);
        const record = txt(`limited.${world.zone}`, 'x');
        await apply(create(record));
        expect(world.waits).toEqual([7000]);
        await expectServed(record.name, 'TXT', [record]);
      });

      it('does not repeat a write that was accepted and answered with a server error', async () => {
        if (!world.faults) return;
        await world.faults.failAfterNextWrite();
        const records = [txt(`once1.${world.zone}`, 'x'), txt(`once2.${world.zone}`, 'y')];
        await apply(create(...records));
        expect(world.waits, 'the fault happened').toHaveLength(1);
        expect(await world.writeCount()).toBe(world.requestsFor?.(2) ?? 1);
        for (const record of records) await expectServed(record.name, 'TXT', [record]);
      });

      it('does not repeat a write whose answer was lost', async () => {
        if (!world.faults) return;
        const record = txt(`cut.${world.zone}`, 'x');
        await apply(create(record));
        await world.resetWrites();
        await world.faults.cutAfterNextWrite();
        const after = txt(record.name, 'y');
        await apply([{ op: 'update', before: await live(record), after, mark }]);
        await world.faults.cutAfterNextWrite();
        await apply([{ op: 'delete', before: await live(after) }]);
        expect(world.waits, 'both faults happened').toHaveLength(2);
        expect(await world.writeCount()).toBe(2);
        await expectServed(record.name, 'TXT', []);
      });

      it('gives up after some tries and says why, with an exit code', async () => {
        if (!world.faults) return;
        await world.faults.failEverything();
        await expect(provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_UNREACHABLE', exit: 1 });
        expect(world.waits.length).toBeGreaterThan(0);
        await world.faults.clear();
        await expect(provider.list(zone)).resolves.toBeDefined();
      });

      it('reports what was written when the credentials end midway', async () => {
        if (!world.faults) return;
        const record = txt(`late.${world.zone}`, 'x');
        await world.faults.expireAfter(1);
        const [result] = await provider.apply(zone, create(record));
        expect(result).toMatchObject({ ok: false, code: 'E_DNS_TOKEN' });
        expect(await world.served(record.name, 'TXT')).toEqual([]);
        await expect(provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_TOKEN', exit: 2 });
      });

      it('follows no redirect', async () => {
        if (!world.faults) return;
        await world.faults.redirectNext();
        await expect(provider.list(zone)).rejects.toMatchObject({ code: 'E_DNS_REDIRECT' });
      });
    });
  });
}
