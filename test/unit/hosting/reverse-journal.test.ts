import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  openReverseJournal,
  type ReverseJournalEntry,
  standingWrites,
} from '../../../src/hosting/reverse-journal.js';

const [host, other, v4] = ['mail.example.org', 'mx.example.org', '198.51.100.7'];
let count = 0;
const set = (hostname: string, after: string, before?: string): ReverseJournalEntry => ({
  kind: 'write',
  id: `w${++count}`,
  at: '2026-11-30T00:00:00.000Z',
  hostname,
  hosting: 'hetzner',
  address: v4,
  after,
  ...(before === undefined ? {} : { before }),
});
const undone: ReverseJournalEntry = { kind: 'undone', at: '', address: v4 };

describe('what undo takes back of reverse names', () => {
  it('is the last name, back to the first', () => {
    const entries = [set(host, 'a.example.org', 'static.example.net'), set(host, host, 'a.example.org')];
    expect(standingWrites(entries, host)).toMatchObject([{ before: 'static.example.net', after: host }]);
  });

  it('is nothing once it was taken back, and what was set after that', () => {
    const first = set(host, host, 'static.example.net');
    expect(standingWrites([first, undone], host)).toEqual([]);
    const again = standingWrites([first, undone, set(host, host)], host);
    expect(again).toMatchObject([{ after: host }]);
    expect(again[0]).not.toHaveProperty('before');
  });

  it('is not what another host of the same address was given', () => {
    const entries = [set(host, host), set(other, other, host)];
    expect(standingWrites(entries, host)).toEqual([]);
    expect(standingWrites(entries, other)).toHaveLength(1);
  });

  it('is not what the provider refused', () => {
    const refused = set(host, host);
    const result = {
      kind: 'result',
      id: refused.kind === 'write' ? refused.id : '',
      at: '',
      ok: false,
    } as const;
    expect(standingWrites([refused, result], host)).toEqual([]);
  });
});

describe('the journal on disk', () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'reverse-'));
  });
  afterEach(() => rm(stateDir, { recursive: true, force: true }));

  it('is private, and survives a client that was killed while it wrote', async () => {
    const journal = openReverseJournal(stateDir);
    expect(await journal.read()).toEqual([]);
    const [one, two] = [set(host, host), set(host, 'b.example.org', host)];
    await journal.append(one);
    const path = join(stateDir, 'reverse', 'journal.jsonl');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(stateDir, 'reverse'))).mode & 0o777).toBe(0o700);
    await writeFile(path, `${await readFile(path, 'utf8')}{"kind":"wri`);
    await journal.append(two);
    expect(await journal.read()).toEqual([one, two]);
  });
});
