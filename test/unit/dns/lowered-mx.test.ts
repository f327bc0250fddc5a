import { expect, it } from 'vitest';
import type { JournalEntry } from '../../../src/dns/journal.js';
import { readLoweredMx } from '../../../src/dns/lowered-mx.js';
import type { DnsRecord } from '../../../src/dns/record.js';

const at = '2026-11-24T10:00:00.000Z';
const minutesLater = (minutes: number) => Date.parse(at) + minutes * 60_000;
const mx = (ttl: number, name = 'example.org'): DnsRecord => ({
  name,
  ttl,
  data: { type: 'MX', preference: 1, exchange: 'old.example' },
});
const lowered = (from: number, to: number, id = '1', name?: string): JournalEntry => ({
  kind: 'write',
  id,
  at,
  stage: 'host',
  role: 'mx',
  change: { op: 'update', before: mx(from, name), after: mx(to, name) },
});

it('counts from the write that lowered the TTL, and ends', () => {
  const entries = [lowered(3600, 300)];
  expect(readLoweredMx(entries, 'example.org', minutesLater(0))).toBe(3600);
  expect(readLoweredMx(entries, 'example.org', minutesLater(45))).toBe(900);
  expect(readLoweredMx(entries, 'example.org', minutesLater(61))).toBe(0);
});

it('takes the longest of several, and only what was written', () => {
  const entries = [lowered(3600, 300), lowered(7200, 300, '2'), lowered(86_400, 300, '3')];
  const failure: JournalEntry = { kind: 'result', id: '3', at, ok: false };
  expect(readLoweredMx([...entries, failure], 'example.org', minutesLater(0))).toBe(7200);
});

it('knows nothing of other domains, of raised TTLs and of what was undone', () => {
  expect(readLoweredMx([lowered(3600, 300)], 'example.net', minutesLater(0))).toBe(0);
  expect(readLoweredMx([lowered(300, 3600)], 'example.org', minutesLater(0))).toBe(0);
  expect(readLoweredMx([lowered(3600, 300), { kind: 'undone', at }], 'example.org', minutesLater(0))).toBe(0);
});
