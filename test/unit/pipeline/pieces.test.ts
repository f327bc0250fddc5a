import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Finding } from '../../../src/checks/check.js';
import type { Lock } from '../../../src/config/lock.js';
import { type LockFacts, makeLock } from '../../../src/pipeline/make-lock.js';
import { obstacleOf } from '../../../src/pipeline/prove.js';
import { readDkimRecords } from '../../../src/pipeline/read-dkim.js';
import { refuseStoredMail } from '../../../src/pipeline/refuse-stored-mail.js';

const finding = (status: Finding['status']): Finding => ({
  id: 'X',
  status,
  title: 'x',
  subject: '192.0.2.1 port 25',
  message: 'It said no.',
});

test('the MX waits for what failed, and not for what could not be reached from here', () => {
  expect(obstacleOf([finding('pass'), finding('unknown'), finding('warn')])).toBeUndefined();
  expect(obstacleOf([finding('pass'), finding('fail')])).toContain('192.0.2.1 port 25: It said no.');
});

test('the lock holds what check dns needs, keeps other servers, and names the longest zone', () => {
  const before: Lock = {
    version: 1,
    servers: { 'mail.other.example': { ipv4: '192.0.2.9' } },
    domains: { 'other.example': { dkim: [] } },
  };
  const facts: LockFacts = {
    hostname: 'mail.example.org',
    addresses: { ipv4: '192.0.2.1', reverse: [], manual: [] },
    dkim: new Map([['sub.example.org', [{ selector: 's1', publicKey: 'AAAA' }, { selector: 's2' }]]]),
    zones: [
      { name: 'example.org', records: [] },
      {
        name: 'sub.example.org',
        nameServers: ['ns2.example.net', 'ns1.example.net'],
        records: [
          { name: 'sub.example.org', ttl: 300, data: { type: 'TXT', text: 'google-site-verification=x' } },
          { name: 'sub.example.org', ttl: 300, data: { type: 'TXT', text: 'v=spf1 -all' } },
          { name: '_dmarc.sub.example.org', ttl: 300, data: { type: 'TXT', text: 'v=DMARC1; p=none' } },
        ],
      },
    ],
    now: Date.UTC(2026, 10, 24, 9),
  };
  const lock = makeLock(before, facts);
  // The day stays the first one.
  expect(makeLock(lock, { ...facts, now: Date.UTC(2027, 0, 1) })).toEqual(lock);
  expect(lock).toEqual({
    version: 1,
    servers: { 'mail.other.example': { ipv4: '192.0.2.9' }, 'mail.example.org': { ipv4: '192.0.2.1' } },
    domains: {
      'other.example': { dkim: [] },
      'sub.example.org': {
        dkim: [{ selector: 's1', publicKey: 'AAAA' }],
        zone: 'sub.example.org',
        nameServers: ['ns1.example.net', 'ns2.example.net'],
        spf: 'v=spf1 -all',
        dmarc: 'v=DMARC1; p=none',
        dmarcSince: '2026-11-24',
      },
    },
  });
});

test('the lock knows the MTA-STS record of an earlier policy, and takes nobody else’s for ours', () => {
  const text = (id: string) => ({
    name: '_mta-sts.example.org',
    ttl: 300,
    data: { type: 'TXT' as const, text: `v=STSv1; id=${id}` },
  });
  const after = (before: Lock, mode: 'testing' | 'enforce', id: string, announced: string, now: number) =>
    makeLock(before, {
      hostname: 'mail.example.org',
      addresses: { reverse: [], manual: [] },
      dkim: new Map([['example.org', []]]),
      zones: [{ name: 'example.org', records: [text(announced)] }],
      mtaSts: new Map([['example.org', { mode, id }]]),
      now,
    });
  const none: Lock = { version: 1, servers: {}, domains: {} };
  const day = Date.UTC(2026, 10, 24);
  const first = after(none, 'testing', 'one', 'one', day);
  expect(first.domains['example.org']?.mtaSts).toEqual({ mode: 'testing', since: '2026-11-24', id: 'one' });
  // An apply that ended before the record was written.
  const cut = after(first, 'enforce', 'two', 'one', day + 864e5);
  expect(cut.domains['example.org']?.mtaSts).toEqual({ mode: 'enforce', since: '2026-11-25', id: 'one' });
  const theirs = after(none, 'testing', 'one', 'theirs', day);
  expect(theirs.domains['example.org']?.mtaSts).toEqual({ mode: 'testing', since: '2026-11-24' });
});

test('the lock writes down once when a new key was first seen to sign, and names the signing one first', () => {
  const rotation = { from: 's1', to: 's2' };
  const before: Lock = {
    version: 1,
    servers: {},
    domains: { 'example.org': { dkim: [], rotation } },
  };
  const keys = [
    { selector: 's1', publicKey: 'AAAA' },
    { selector: 's2', publicKey: 'BBBB' },
  ];
  const facts = (selector: string, now: number): LockFacts => ({
    hostname: 'mail.example.org',
    addresses: { reverse: [], manual: [] },
    dkim: new Map([['example.org', keys]]),
    signing: [{ domain: 'example.org', selector }],
    zones: [],
    now,
  });
  expect(makeLock(before, facts('s1', 0)).domains['example.org']?.rotation).toEqual(rotation);
  const switched = makeLock(before, facts('s2', Date.UTC(2026, 10, 24)));
  expect(switched.domains['example.org']).toEqual({
    dkim: [keys[1], keys[0]],
    rotation: { ...rotation, switched: '2026-11-24T00:00:00.000Z' },
  });
  expect(makeLock(switched, facts('s2', Date.UTC(2027, 0, 1)))).toEqual(switched);
});

const publicKey = (bits: number) =>
  generateKeyPairSync('rsa', { modulusLength: bits })
    .publicKey.export({ format: 'der', type: 'spki' })
    .toString('base64');

test('a key from the server is published only when it parses as RSA of 2048 bits or more', () => {
  const facts = (key: string) => ({
    dkim: { keys: [{ domain: 'example.org', selector: 's1', publicKey: key }], signing: [] },
  });
  const good = publicKey(2048);
  expect(readDkimRecords(facts(good))).toEqual({
    's1._domainkey.example.org': { type: 'TXT', text: `v=DKIM1; k=rsa; p=${good}` },
  });
  expect(() => readDkimRecords(facts(publicKey(1024)))).toThrow(/not an RSA key of at least 2048/);
  expect(() => readDkimRecords(facts('AAAA'))).toThrow(/was not published/);
});

test('a server with mailboxes does not become one that only sends', () => {
  const facts = { accounts: { mailboxes: ['ada@example.org'] } };
  const refuse = (profile: 'mailboxes' | 'send-only', seen = facts) =>
    refuseStoredMail({ profile }, seen, 'mail.example.org');
  expect(() => refuse('send-only')).toThrow(/There are mailboxes on/);
  expect(() => refuse('mailboxes')).not.toThrow();
  expect(() => refuse('send-only', { accounts: { mailboxes: [] } })).not.toThrow();
});
