import { describe, expect, it } from 'vitest';
import { sameRecord } from '../../../../src/dns/canonical.js';
import type { Change, ProviderContext, Zone } from '../../../../src/dns/providers/provider.js';
import {
  type NeededChange,
  type WriteFailure,
  writeChanges,
  type ZoneWriter,
} from '../../../../src/dns/providers/write-changes.js';
import type { DnsRecord, LiveRecord } from '../../../../src/dns/record.js';
import { SetupError } from '../../../../src/errors.js';

const zone: Zone = { id: '1', name: 'example.test', nameServers: [], state: 'active' };
const txt = (label: string, text = 'x'): DnsRecord => ({
  name: `${label}.example.test`,
  ttl: 300,
  data: { type: 'TXT', text },
});
const create = (...labels: string[]): Change[] =>
  labels.map((label) => ({ op: 'create', after: txt(label) }));

class Failure extends Error {
  readonly what: WriteFailure;
  constructor(what: WriteFailure) {
    super(what.text);
    this.what = what;
  }
}

/** A zone in memory. `fail` says for each request whether it fails, and whether its changes are carried out then. */
function makeWriter(
  fail: (request: readonly string[], count: number) => (WriteFailure & { carriedOut?: boolean }) | undefined,
  options: { single?: boolean; live?: LiveRecord[] } = {},
) {
  let live: LiveRecord[] = options.live ?? [];
  const requests: string[][] = [];
  const waits: number[] = [];
  const context: ProviderContext = {
    credentials: {},
    fetch,
    signal: new AbortController().signal,
    log: () => undefined,
    wait: async (milliseconds) => void waits.push(milliseconds),
  };
  const carryOut = ({ change, current }: NeededChange): void => {
    if (change.op !== 'create') live = live.filter((record) => !current || !sameRecord(record, current));
    if (change.op !== 'delete') live = [...live, change.after];
  };
  const writer: ZoneWriter = {
    context,
    audit: () => [],
    list: async () => [...live],
    classify: (error) => {
      if (!(error instanceof Failure)) throw error;
      return error.what;
    },
    toUnits: (_zone, needed) => {
      const groups = options.single ? needed.map((item) => [item]) : [needed];
      return groups
        .filter((group) => group.length > 0)
        .map((group) => ({
          needed: group,
          run: async () => {
            const names = group.map(
              ({ change }) => (change.op === 'delete' ? change.before : change.after).name,
            );
            requests.push(names.map((name) => name.split('.')[0] ?? ''));
            const failure = fail(requests.at(-1) ?? [], requests.length);
            if (!failure || failure.carriedOut) group.forEach(carryOut);
            if (failure) throw new Failure(failure);
            return group.map(() => undefined);
          },
        }));
    },
  };
  return { writer, requests, waits, live: () => live };
}

describe('writing changes', () => {
  it('writes the good members of a refused batch one by one, and names the bad one', async () => {
    const { writer, requests } = makeWriter((names) =>
      names.includes('bad') ? { kind: 'refused', text: 'no such thing' } : undefined,
    );
    const applied = await writeChanges(writer, zone, create('a', 'bad', 'b'));
    expect(applied).toEqual([
      { ok: true },
      { ok: false, code: 'E_DNS_API', error: 'no such thing' },
      { ok: true },
    ]);
    expect(requests).toEqual([['a', 'bad', 'b'], ['a'], ['bad'], ['b']]);
  });

  it('does not send again what was carried out before the answer was lost', async () => {
    const { writer, requests, waits } = makeWriter((_names, count) =>
      count === 1 ? { kind: 'transient', text: 'cut', carriedOut: true } : undefined,
    );
    expect(await writeChanges(writer, zone, create('a', 'b'))).toMatchObject([{ ok: true }, { ok: true }]);
    expect(requests).toHaveLength(1);
    expect(waits).toEqual([500]);
  });

  it('gives up after four tries and says what is not written', async () => {
    const { writer, requests, waits } = makeWriter(() => ({
      kind: 'transient',
      text: 'HTTP 503',
      retryAfter: 2,
    }));
    expect(await writeChanges(writer, zone, create('a'))).toEqual([
      { ok: false, code: 'E_DNS_UNREACHABLE', error: 'HTTP 503' },
    ]);
    expect(requests).toHaveLength(4);
    expect(waits).toEqual([2000, 2000, 2000]);
  });

  it('stops at once when the credentials end, and keeps what was written before', async () => {
    const { writer, requests } = makeWriter(
      (names) => (names.includes('b') ? { kind: 'token', text: 'HTTP 401' } : undefined),
      { single: true },
    );
    expect(await writeChanges(writer, zone, create('a', 'b', 'c'))).toEqual([
      { ok: true },
      { ok: false, code: 'E_DNS_TOKEN', error: 'HTTP 401' },
      { ok: false, code: 'E_DNS_TOKEN', error: 'HTTP 401' },
    ]);
    expect(requests).toEqual([['a'], ['b']]);
  });

  it('looks again once when the zone was not as it was read, then calls it drift', async () => {
    const { writer, requests } = makeWriter(() => ({ kind: 'conflict', text: 'NXRRSET' }));
    expect(await writeChanges(writer, zone, create('a'))).toEqual([
      { ok: false, code: 'E_DNS_DRIFT', error: 'NXRRSET' },
    ]);
    expect(requests).toHaveLength(2);
  });

  it('tells what is known when the zone cannot be read after a failed write', async () => {
    const { writer } = makeWriter(() => ({ kind: 'transient', text: 'cut' }));
    let reads = 0;
    const list = async () => {
      reads += 1;
      if (reads > 1) throw new SetupError({ code: 'E_DNS_UNREACHABLE', exit: 1, what: 'It is gone.' });
      return [];
    };
    expect(await writeChanges({ ...writer, list }, zone, create('a'))).toEqual([
      { ok: false, code: 'E_DNS_UNREACHABLE', error: 'not known whether it was written: It is gone.' },
    ]);
  });

  it('throws when the zone cannot be read before anything was written', async () => {
    const { writer } = makeWriter(() => undefined);
    const list = () => Promise.reject(new SetupError({ code: 'E_DNS_UNREACHABLE', exit: 1, what: 'Gone.' }));
    await expect(writeChanges({ ...writer, list }, zone, create('a'))).rejects.toMatchObject({
      code: 'E_DNS_UNREACHABLE',
    });
  });

  it('touches neither a read-only record nor one whose TTL someone has changed', async () => {
    const live = [
      { ...txt('managed'), readOnly: true },
      { ...txt('moved'), ttl: 60 },
    ];
    const { writer, requests } = makeWriter(() => undefined, { live });
    const applied = await writeChanges(writer, zone, [
      { op: 'delete', before: { ...txt('managed'), readOnly: true } },
      { op: 'update', before: txt('moved'), after: txt('moved', 'y') },
    ]);
    expect(applied).toMatchObject([
      { ok: false, code: 'E_DNS_READ_ONLY' },
      { ok: false, code: 'E_DNS_DRIFT' },
    ]);
    expect(requests).toEqual([]);
  });

  it('refuses to turn a record into one of another type', async () => {
    const before = txt('a');
    const { writer } = makeWriter(() => undefined, { live: [before] });
    const after: DnsRecord = { ...before, data: { type: 'A', address: '198.51.100.1' } };
    expect(await writeChanges(writer, zone, [{ op: 'update', before, after }])).toMatchObject([
      { ok: false, code: 'E_DNS_AUDIT' },
    ]);
  });

  it('does not swallow an error that is no failure of a write', async () => {
    const { writer } = makeWriter(() => undefined);
    const toUnits: ZoneWriter['toUnits'] = (_zone, needed) => [
      { needed, run: () => Promise.reject(new RangeError('a bug')) },
    ];
    await expect(writeChanges({ ...writer, toUnits }, zone, create('a'))).rejects.toThrow('a bug');
  });
});
