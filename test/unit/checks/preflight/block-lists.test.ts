import { describe, expect, it } from 'vitest';
import { namesOnLists, suspectAddress, suspectDomain } from '../../../../src/checks/block-lists.js';
import { checkBlockLists } from '../../../../src/checks/preflight/block-lists.js';
import { refuseUnsuitable } from '../../../../src/checks/preflight/index.js';
import type { NameAnswer } from '../../../../src/checks/server/server-check.js';

const address = suspectAddress('192.0.2.7');
if (address === undefined) throw new Error('192.0.2.7 is an address');
const suspects = [address, suspectDomain('example.org')];
const listed = (...addresses: string[]): NameAnswer => ({ status: 'found', addresses });

/** All lists know their test entries and nothing of us, but for these. */
function ask(said: Readonly<Record<string, NameAnswer>>, privateNetwork = false) {
  const tests = suspects.flatMap(({ lists }) => lists.map(({ test, zone }) => `${test}.${zone}`));
  const answers = new Map(
    suspects
      .flatMap(namesOnLists)
      .map((name) => [
        name,
        said[name] ?? (tests.includes(name) ? listed('127.0.0.2') : { status: 'absent' as const }),
      ]),
  );
  return checkBlockLists(suspects, answers, privateNetwork);
}

const statuses = (said: Readonly<Record<string, NameAnswer>>) => ask(said).map(({ status }) => status);

describe('block lists, before anything is changed', () => {
  it('have nothing on a clean address and domain', () => {
    expect(ask({}).map(({ status, subject }) => [status, subject])).toEqual([
      ['pass', '192.0.2.7'],
      ['pass', 'example.org'],
    ]);
  });

  it('that list address or domain warn with the way out, and stop nothing', () => {
    const found = ask({
      '7.2.0.192.zen.spamhaus.org': listed('127.0.0.10'),
      'example.org.dbl.spamhaus.org': listed('127.0.1.2'),
    });
    expect(found.filter(({ status }) => status === 'warn')).toMatchObject([
      {
        id: 'SRV-BLOCKLIST',
        subject: '192.0.2.7',
        observed: '127.0.0.10 at zen.spamhaus.org',
        fix: { text: expect.stringContaining('check.spamhaus.org') },
      },
      { subject: 'example.org', observed: '127.0.1.2 at dbl.spamhaus.org' },
    ]);
    expect(() => refuseUnsuitable(found)).not.toThrow();
  });

  it('that refuse, fall silent or do not know their own test entry are unknown, never listed', () => {
    for (const said of [listed('127.255.255.254'), { status: 'unknown' } as const]) {
      expect(statuses({ '7.2.0.192.zen.spamhaus.org': said })).toEqual(['unknown', 'pass', 'pass']);
    }
    expect(statuses({ 'dbltest.com.dbl.spamhaus.org': { status: 'absent' } })).toEqual([
      'pass',
      'unknown',
      'pass',
    ]);
    // SURBL says 127.0.0.1 to whom it does not serve.
    const refused = { 'example.org.multi.surbl.org': listed('127.0.0.1') };
    expect(statuses(refused)).toEqual(['pass', 'unknown', 'pass']);
  });

  it('are not missed where there are none', () => {
    const none = suspects.flatMap(({ lists }) =>
      lists.map(({ test, zone }) => [`${test}.${zone}`, { status: 'absent' as const }] as const),
    );
    expect(ask(Object.fromEntries(none), true)).toEqual([]);
  });
});
