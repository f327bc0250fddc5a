import { expect, it } from 'vitest';
import { readFailure } from '../../../../src/dns/providers/cloudflare/api-failure.js';
import type { ProviderContext } from '../../../../src/dns/providers/provider.js';
import { parseRetryAfter } from '../../../../src/dns/providers/retry-after.js';
import { Route53Api } from '../../../../src/dns/providers/route53/api.js';
import type { OpenClient } from '../../../../src/dns/providers/route53/open-client.js';

/** The date of the examples in RFC 9110 5.6.7, and half a minute before it. */
const date = Date.UTC(1994, 10, 6, 8, 49, 37);
const now = date - 30_000;

it.each([
  ['120', 120],
  ['0', 0],
  [' 9 ', 9],
  ['86400000', 86_400_000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 30],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 30],
  ['Sun Nov  6 08:49:37 1994', 30],
  ['Sun, 06 Nov 1994 09:49:37 GMT', 3630],
])('reads %s', (value, seconds) => {
  expect(parseRetryAfter(value, now)).toBe(seconds);
});

it.each([
  null,
  undefined,
  '',
  'soon',
  '-5',
  '1.5',
  '1e3',
  '0x10',
  '1994-11-06T08:49:37Z',
  'Sun, 06 Nov 1994 08:49:37 +0100',
  'Sun, 06 Foo 1994 08:49:37 GMT',
])('makes nothing of %s', (value) => {
  expect(parseRetryAfter(value, now)).toBeUndefined();
});

it('rounds up, and makes nothing of a date that is over', () => {
  const value = 'Sun, 06 Nov 1994 08:49:37 GMT';
  expect(parseRetryAfter(value, date - 1)).toBe(1);
  expect(parseRetryAfter(value, date)).toBeUndefined();
  expect(parseRetryAfter(value, date + 1000)).toBeUndefined();
});

it('takes two digits of a year for one that is not far ahead', () => {
  const turn = Date.UTC(1999, 11, 31, 23, 59, 50);
  expect(parseRetryAfter('Friday, 31-Dec-99 23:59:59 GMT', turn)).toBe(9);
  expect(parseRetryAfter('Friday, 31-Dec-99 23:59:59 GMT', Date.UTC(2026, 0, 1))).toBeUndefined();
});

it('is understood where an SDK hands it over', () => {
  const later = new Date(Date.now() + 86_400_000).toUTCString();
  const aboutADay = (value: unknown) => typeof value === 'number' && value > 86_000 && value <= 86_400;
  const headers = new Headers({ 'retry-after': later });
  expect(readFailure({ status: 429, headers }).retryAfter).toSatisfy(aboutADay);
  const context = { signal: new AbortController().signal } as ProviderContext;
  const route53 = new Route53Api({} as OpenClient, context, []);
  const busy = { $response: { statusCode: 503, headers: { 'retry-after': later } } };
  expect(route53.classify(busy)).toMatchObject({
    kind: 'transient',
    retryAfter: expect.toSatisfy(aboutADay),
  });
});
