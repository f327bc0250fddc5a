import { expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.js';
import type { LiveRecord } from '../../../src/dns/record.js';
import { chooseDkim, type DkimChoice } from '../../../src/pipeline/choose-dkim.js';
import { domainName, hostName, key, live, txt } from '../dns/zone-fixture.js';

const config = configSchema.parse({
  version: 1,
  servers: { [hostName]: { ssh: 'root@198.51.100.7' } },
  domains: { [domainName]: { dns: 'cloudflare' } },
});
const at = (selector: string) => `${selector}._domainkey.${domainName}`;
const mark = 'smtp-setup/1 mail-example-org dkim';

/** Selectors that are chosen when the server has the keys and signs with the first. */
function choose(
  keys: readonly string[],
  records: readonly LiveRecord[],
  signing?: string,
  change: Pick<DkimChoice, 'next' | 'retired'> = {},
): string[] {
  const chosen = chooseDkim({
    config,
    hostname: hostName,
    dkim: {
      keys: keys.map((selector) => ({ domain: domainName, selector, publicKey: key })),
      signing: signing === undefined ? [] : [{ domain: domainName, selector: signing }],
    },
    live: records,
    installId: 'mail-example-org',
    now: Date.parse('2026-11-24T00:00:00Z'),
    ...change,
  });
  return (chosen.get(domainName) ?? []).map(({ selector }) => selector);
}

it('names a first key after the month, where DNS holds nothing', () => {
  expect(choose([], [])).toEqual(['s202611']);
  expect(choose([], [txt(at('s202611'), 'v=DKIM1; p=AAAA')])).toEqual(['s202611b']);
});

it('keeps the keys that the server has, the signing one first', () => {
  expect(choose(['s202610', 's202611'], [])).toEqual(['s202611', 's202610']);
  expect(choose(['s202610', 's202611'], [], 's202610')).toEqual(['s202610', 's202611']);
  expect(choose(['s202611'], [txt(at('s202611'), `v=DKIM1; k=rsa; p=${key}`)])).toEqual(['s202611']);
});

it('R9: takes a new selector when somebody else’s record holds the name', () => {
  const other = txt(at('s202611'), 'v=DKIM1; k=rsa; p=AAAA');
  expect(choose(['s202611'], [other], 's202611')).toEqual(['s202611b']);
  expect(choose(['s202611'], [other, txt(at('s202611'), `v=DKIM1; p=${key}`)])).toEqual(['s202611b']);
  const alias = live(at('s202611'), { type: 'CNAME', target: 'vendor.example' });
  expect(choose(['s202611'], [alias])).toEqual(['s202611b']);
  expect(choose(['s202611'], [alias], 's202611')).toEqual(['s202611']);
});

it('keeps the selector of a record of ours that was spoilt: it is put right', () => {
  expect(choose(['s202611'], [txt(at('s202611'), 'v=DKIM1; p=', { mark })])).toEqual(['s202611']);
});

it('puts a key that is to take over beside the one that signs, made or not', () => {
  const next = new Map([[domainName, 's202612']]);
  expect(choose(['s202611'], [], 's202611', { next })).toEqual(['s202611', 's202612']);
  expect(choose(['s202611', 's202612'], [], 's202611', { next })).toEqual(['s202611', 's202612']);
});

it('lets a key go whose time is over', () => {
  const retired = new Map([[domainName, 's202611']]);
  expect(choose(['s202611', 's202612'], [], 's202612', { retired })).toEqual(['s202612']);
});
