import { isWithin } from '../../dns/canonical.js';
import { type Answer, isUnknown } from '../../dns/resolver/types.js';
import { reverseNameOf } from '../../dns/reverse-name.js';
import { specialAddressKind } from '../../lib/ip.js';
import type { Verdict } from '../check.js';
import { addressesOf, type DnsCheck, type DnsContext } from './context.js';
import { findOwnHosts, readAddresses } from './facts.js';
import { fail, pass, unknown, warn } from './verdict.js';

const group = 'Host';
const mostNames = 10;

interface Reverse {
  address: string;
  answer: Answer;
  names: readonly string[];
  /** Names that resolve back to the address. */
  confirmed: readonly string[];
  /** A forward lookup failed, so a missing confirmation proves nothing. */
  unknown?: Answer;
}

/** PTR and forward confirmation of every address that sends (RFC 8601 2.7.3). */
function readReverse(ctx: DnsContext): Promise<readonly Reverse[]> {
  return ctx.once('reverse', async () => {
    const addresses = await findSendingAddresses(ctx);
    const found = await Promise.all(addresses.map((address) => lookUp(ctx, address)));
    return found.flatMap((one) => one ?? []);
  });
}

async function findSendingAddresses(ctx: DnsContext): Promise<string[]> {
  const given =
    ctx.target.addresses.length > 0
      ? ctx.target.addresses
      : (await Promise.all((await findOwnHosts(ctx)).map((host) => readAddresses(ctx, host)))).flatMap(
          (found) => found.addresses,
        );
  // HOST-PRIV speaks about addresses that cannot have a public PTR.
  return [...new Set(given)].filter(
    (address) => ctx.deps.privateNetwork || specialAddressKind(address) === undefined,
  );
}

async function lookUp(ctx: DnsContext, address: string): Promise<Reverse | undefined> {
  const name = reverseNameOf(address);
  if (name === undefined) return undefined;
  const answer = await ctx.askResolver(name, 'PTR');
  const names = answer.records
    .flatMap(({ data }) => (data.type === 'PTR' ? [data.target] : []))
    .slice(0, mostNames);
  const type = address.includes(':') ? 'AAAA' : 'A';
  const forward = await Promise.all(
    names.map((target) => {
      const own = target === ctx.target.host || isWithin(target, ctx.target.domain);
      return own ? ctx.assume.resolve(target, type) : ctx.askResolver(target, type);
    }),
  );
  const lost = forward.find((one) => isUnknown(one.status));
  return {
    address,
    answer,
    names,
    confirmed: names.filter((_, index) => addressesOf(...forward.slice(index, index + 1)).includes(address)),
    ...(lost && { unknown: lost }),
  };
}

function wantedName(ctx: DnsContext): string {
  return ctx.target.host ?? 'the mail host';
}

function setPtr(ctx: DnsContext, address: string): { text: string } {
  return {
    text: `In the panel of the server’s provider, set the reverse DNS (PTR) of ${address} to ${wantedName(ctx)}.`,
  };
}

export const ptrExistsCheck: DnsCheck = {
  id: 'PTR-EXISTS',
  group,
  severity: 'fail',
  title: 'Every sending address has a reverse name',
  ref: 'RFC 1912 section 2.1',
  needs: [],
  async run(ctx) {
    return (await readReverse(ctx)).map(({ address, answer, names }): Verdict => {
      if (isUnknown(answer.status)) return unknown(answer, { subject: address });
      if (names.length > 0) return pass(answer, `${address} has a reverse name.`, { subject: address });
      return fail(answer, `${address} has no reverse name (PTR); Gmail and others refuse its mail.`, {
        subject: address,
        expected: wantedName(ctx),
        fix: setPtr(ctx, address),
      });
    });
  },
};

export const forwardConfirmedCheck: DnsCheck = {
  id: 'PTR-FCRDNS',
  group,
  severity: 'fail',
  title: 'The reverse name resolves back to the address',
  ref: 'RFC 8601 section 2.7.3',
  needs: [],
  async run(ctx) {
    return (await readReverse(ctx)).flatMap(
      ({ address, answer, names, confirmed, unknown: lost }): Verdict[] => {
        if (names.length === 0) return [];
        if (confirmed.length > 0) return [pass(answer, 'Forward and reverse agree.', { subject: address })];
        if (lost) return [unknown(lost, { subject: address })];
        return [
          fail(answer, `The reverse name of ${address} does not resolve back to it.`, {
            subject: address,
            expected: wantedName(ctx),
            fix: setPtr(ctx, address),
          }),
        ];
      },
    );
  },
};

/** Names that providers give to whole ranges: the address inside, or words for pools. */
function looksGeneric(name: string, address: string): boolean {
  if (
    /(?:^|[.-])(?:static|dynamic|dyn|dhcp|pool|vps|vserver|customer|clients?|ppp|dsl|broadband|ip-?\d)/.test(
      name,
    )
  )
    return true;
  if (address.includes(':')) return /(?:[0-9a-f]{1,4}[-.]){6,}/.test(name);
  const octets = address.split('.');
  const inOrder = (parts: readonly string[]) =>
    new RegExp(`(?:^|\\D)0*${parts.map((part) => part).join('[-.x_]0*')}(?:\\D|$)`).test(name);
  const glued = octets.map((octet) => octet.padStart(3, '0')).join('');
  return inOrder(octets) || inOrder([...octets].reverse()) || name.includes(glued);
}

export const genericNameCheck: DnsCheck = {
  id: 'PTR-GENERIC',
  group,
  severity: 'warn',
  title: 'The reverse name is the server’s own',
  ref: 'M3AAWG Sender Best Common Practices',
  needs: [],
  async run(ctx) {
    return (await readReverse(ctx)).flatMap(({ address, answer, names }): Verdict[] => {
      const generic = names.find((name) => name !== ctx.target.host && looksGeneric(name, address));
      if (names.length === 0) return [];
      if (generic === undefined)
        return [pass(answer, 'The reverse name is no pool name.', { subject: address })];
      return [
        warn(
          answer,
          `The reverse name of ${address} looks like one of a pool; receivers trust such senders less.`,
          {
            subject: address,
            expected: wantedName(ctx),
            fix: setPtr(ctx, address),
          },
        ),
      ];
    });
  },
};

export const singleNameCheck: DnsCheck = {
  id: 'PTR-MULTI',
  group,
  severity: 'warn',
  title: 'Each address has one reverse name',
  ref: 'RFC 1912 section 2.1',
  needs: [],
  async run(ctx) {
    return (await readReverse(ctx)).flatMap(({ address, answer, names }): Verdict[] => {
      if (names.length === 0) return [];
      if (names.length === 1) return [pass(answer, 'One reverse name.', { subject: address })];
      return [
        warn(
          answer,
          `${address} has ${names.length} reverse names; receivers look at one of them, and nobody knows at which.`,
          {
            subject: address,
            expected: wantedName(ctx),
            fix: { text: `Leave only one PTR record for ${address}: ${wantedName(ctx)}.` },
          },
        ),
      ];
    });
  },
};

export const heloCheck: DnsCheck = {
  id: 'HELO-MATCH',
  group,
  severity: 'fail',
  title: 'The host name resolves and is the reverse name',
  ref: 'RFC 5321 section 4.1.1.1',
  needs: ['host'],
  async run(ctx) {
    const host = ctx.target.host ?? '';
    const asked = { name: host, type: 'A' } as const;
    if (!host.includes('.')) return [fail(asked, `${host} is not a full domain name.`, { observed: host })];
    const [addresses, reverse] = await Promise.all([readAddresses(ctx, host), readReverse(ctx)]);
    if (addresses.addresses.length === 0)
      return addresses.unknown
        ? [unknown(isUnknown(addresses.v4.status) ? addresses.v4 : addresses.v6)]
        : [fail(asked, `${host} does not resolve, so no receiver believes its HELO.`)];
    // A missing or unconfirmed PTR has its own checks.
    const judged = reverse.filter(({ confirmed }) => confirmed.length > 0);
    return judged.map(({ address, answer, names }) =>
      names.includes(host)
        ? pass(answer, 'HELO name and reverse name are the same.', { subject: address, expected: host })
        : fail(answer, `The server says ${host}, but its address says ${names.join(', ')}.`, {
            subject: address,
            expected: host,
            fix: setPtr(ctx, address),
          }),
    );
  },
};
