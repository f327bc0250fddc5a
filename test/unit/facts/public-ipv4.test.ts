import { expect, it } from 'vitest';
import { publicIpv4 } from '../../../src/facts/public-ipv4.js';

const server = '93.184.216.34';

it.each<[what: string, own: readonly string[], reachedAt: string, expected: string]>([
  ['its own, where it is reached there', [server], server, server],
  ['its own, through a forwarded port', [server], '127.0.0.1', server],
  ['its own, through a private network or a tunnel', [server], '10.8.0.4', server],
  ['its own, over IPv6', [server], '2606:2800:220:1::1', server],
  ['its own, where nobody knows how it was reached', [server], '', server],
  ['where it is reached, behind address translation', ['10.0.0.5'], server, server],
  ['the one of its own that is of the Internet', ['10.0.0.5', server], '10.0.0.5', server],
  ['never a forwarded port', ['10.0.0.5'], '127.0.0.1', '10.0.0.5'],
  ['where a rehearsal reaches it, behind address translation', ['10.0.0.5'], '198.51.100.7', '198.51.100.7'],
  ['its own in a rehearsal', ['198.51.100.7'], '198.51.100.7', '198.51.100.7'],
  ['its own in a rehearsal, through a forwarded port', ['198.51.100.7'], '127.0.0.1', '198.51.100.7'],
])('the public address is %s', (_what, own, reachedAt, expected) => {
  const [ipv4 = ''] = own;
  expect(publicIpv4({ ipv4, ipv6: '2606:2800:220:1::1', all: own }, reachedAt)).toBe(expected);
});

it('there is none, where only a forwarded port has one', () => {
  expect(publicIpv4({ all: [] }, '127.0.0.1')).toBeUndefined();
});
