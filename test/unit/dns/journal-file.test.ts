import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DnsJournal, JournalEntry } from '../../../src/dns/journal.js';
import { openFileJournal } from '../../../src/dns/journal-file.js';
import { withState } from '../../../src/dns/kept-state.js';
import { parseZoneFile } from '../../../src/dns/parse-zone-file.js';
import { afterPlan, plan } from './zone-fixture.js';

const entry = (at: string): JournalEntry => ({ kind: 'undone', at });
let root: string;
let journal: DnsJournal;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'journal-'));
  journal = openFileJournal(join(root, 'dns'));
});
afterEach(() => rm(root, { recursive: true }));

describe('the journal on disk', () => {
  test('entries come back in order; a zone without one has none', async () => {
    expect(await journal.read('example.org')).toEqual([]);
    await journal.append('example.org', [entry('1'), entry('2')]);
    await journal.append('example.org', [entry('3')]);
    expect(await journal.read('example.org')).toEqual([entry('1'), entry('2'), entry('3')]);
  });

  test('half a line of a killed client is dropped, before reading and before the next append', async () => {
    await journal.append('example.org', [entry('1')]);
    const path = join(root, 'dns', 'example.org', 'journal.jsonl');
    await writeFile(path, '{"kind":"wri', { flag: 'a' });
    expect(await journal.read('example.org')).toEqual([entry('1')]);
    await journal.append('example.org', [entry('2')]);
    expect(await journal.read('example.org')).toEqual([entry('1'), entry('2')]);
  });

  test('a spoilt line is named', async () => {
    await journal.append('example.org', [entry('1')]);
    await writeFile(join(root, 'dns', 'example.org', 'journal.jsonl'), 'x\n', { flag: 'a' });
    await expect(journal.read('example.org')).rejects.toMatchObject({
      code: 'E_DNS_JOURNAL',
      evidence: [expect.stringContaining('line 2')],
    });
  });

  test('what the machine refuses is said with its path and what to do', async () => {
    const blocked = join(root, 'file');
    await writeFile(blocked, '');
    const nowhere = openFileJournal(join(blocked, 'dns'));
    const path = join(blocked, 'dns', 'example.org');
    for (const write of [
      () => nowhere.append('example.org', [entry('1')]),
      () => nowhere.saveZone('example.org', new Date(0), []),
      () => nowhere.lock('example.org'),
    ]) {
      await expect(write()).rejects.toMatchObject({
        code: 'E_STATE_UNWRITABLE',
        exit: 1,
        evidence: [expect.stringContaining(path)],
        fix: [expect.stringContaining(blocked), expect.any(String)],
      });
    }
    await mkdir(join(root, 'dns', 'example.org', 'journal.jsonl'), { recursive: true });
    await expect(journal.read('example.org')).rejects.toMatchObject({ code: 'E_STATE_UNREADABLE', exit: 2 });
    await expect(journal.read('../x')).rejects.toMatchObject({ code: 'E_DNS_ZONE_NAME' });
  });

  test('a full disk asks for room', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
    const state = { stateDir: '/state', path: '/state/dns/example.org', to: 'write' } as const;
    const writing = withState(state, () => Promise.reject(full));
    await expect(writing).rejects.toMatchObject({
      evidence: ['/state/dns/example.org: ENOSPC: no space left on device, write'],
      fix: ['Make room on the disk that holds /state.', expect.any(String)],
    });
    const bug = new TypeError('x is not a function');
    await expect(withState(state, () => Promise.reject(bug))).rejects.toBe(bug);
  });

  test('R20: the zone is saved as JSON and as a zone file, for nobody else to read', async () => {
    const records = afterPlan([], plan([]));
    const paths = await journal.saveZone('example.org', new Date('2026-11-24T01:02:03Z'), records);
    expect(paths.map((path) => path.split('/').at(-1))).toEqual([
      'zone-2026-11-24T01-02-03-000Z.json',
      'zone-2026-11-24T01-02-03-000Z.zone',
    ]);
    const [json = '', zone = ''] = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
    expect(JSON.parse(json)).toMatchObject({
      zone: 'example.org',
      records: JSON.parse(JSON.stringify(records)),
    });
    expect(parseZoneFile(zone, 'example.org')).toHaveLength(records.length);
    for (const path of paths) expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(root, 'dns', 'example.org'))).mode & 0o777).toBe(0o700);
  });

  test.each(['../etc', 'a/b', '..', '', '.', 'a..b', 'x\u0000y', 'a b'])(
    'zone name %j never becomes a path',
    async (name) => {
      await expect(journal.append(name, [entry('1')])).rejects.toMatchObject({ code: 'E_DNS_ZONE_NAME' });
      await expect(journal.read(name)).rejects.toMatchObject({ code: 'E_DNS_ZONE_NAME' });
      await expect(journal.lock(name)).rejects.toMatchObject({ code: 'E_DNS_ZONE_NAME' });
    },
  );
});

describe('R17: one apply per zone at a time', () => {
  test('R17: the second is told who holds the zone, exit 6; other zones are free', async () => {
    const release = await journal.lock('example.org');
    await expect(journal.lock('example.org')).rejects.toMatchObject({
      code: 'E_DNS_BUSY',
      exit: 6,
      evidence: expect.arrayContaining([`process: ${process.pid}`]),
    });
    const other = await journal.lock('example.net');
    await other();
    await release();
    await (await journal.lock('example.org'))();
    expect(await readdir(join(root, 'dns', 'example.org'))).toEqual([]);
  });

  test('R17: the lock of a dead process is taken over', async () => {
    await journal.append('example.org', []);
    // Above the highest process id that Linux gives out (2^22).
    await writeFile(join(root, 'dns', 'example.org', 'lock'), '4194305\n');
    const release = await journal.lock('example.org');
    await expect(journal.lock('example.org')).rejects.toMatchObject({ code: 'E_DNS_BUSY' });
    await release();
  });

  test('R17: a lock that cannot be read holds', async () => {
    await journal.append('example.org', []);
    const path = join(root, 'dns', 'example.org', 'lock');
    await writeFile(path, 'what');
    await chmod(path, 0o600);
    await expect(journal.lock('example.org')).rejects.toMatchObject({ code: 'E_DNS_BUSY' });
  });
});
