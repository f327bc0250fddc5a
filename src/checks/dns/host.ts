import type { DesiredRecord } from '../../dns/record.js';
import { type Answer, isUnknown } from '../../dns/resolver/types.js';
import { canonicalIp, specialAddressKind } from '../../lib/ip.js';
import type { Verdict } from '../check.js';
import { isCloudflareProxy } from './cloudflare-ranges.js';
import { addressesOf, type DnsCheck, type DnsContext, holds } from './context.js';
import { findOwnHosts, readMx } from './facts.js';
import { fail, info, pass, setRecord, unknown, unknowns, warn } from './verdict.js';

const group = 'Host';

/** Addresses as they really stand in DNS, for the checks that judge them. */
async function readLive(
  ctx: DnsContext,
  host: string,
): Promise<{ v4: Answer; v6: Answer; addresses: string[] }> {
  const [v4, v6] = await Promise.all([ctx.ask(host, 'A'), ctx.ask(host, 'AAAA')]);
  return { v4, v6, addresses: addressesOf(v4, v6) };
}

function wantedAddresses(ctx: DnsContext, host: string, type: 'A' | 'AAAA'): DesiredRecord[] {
  return ctx.target.expected.filter((record) => record.name === host && record.data.type === type);
}

function addressCheck(type: 'A' | 'AAAA'): DnsCheck {
  return {
    id: `HOST-${type}`,
    group,
    severity: 'fail',
    title:
      type === 'A' ? 'The mail host resolves to the server' : 'The mail host’s IPv6 address is the server’s',
    ref: 'RFC 5321 section 2.3.5',
    needs: ['host'],
    async run(ctx) {
      const host = ctx.target.host ?? '';
      const wanted = wantedAddresses(ctx, host, type);
      const answer = await ctx.ask(host, type);
      if (isUnknown(answer.status)) return [unknown(answer)];
      const live = addressesOf(answer);
      if (live.length > 0 && live.every(isCloudflareProxy)) return [];
      const known = ctx.target.addresses.map((address) => canonicalIp(address) ?? address);
      if (wanted.length === 0)
        return judgeUnplanned(
          answer,
          known.filter((one) => one.includes(':') === (type === 'AAAA')),
        );
      const missing = wanted.filter((record) => !holds(answer.records, record.data));
      const expected = addressText(wanted);
      if (missing.length > 0)
        return missing.map((record) =>
          fail(
            answer,
            live.length === 0 ? `${host} has no ${type} record.` : `${host} does not resolve to the server.`,
            {
              expected,
              fix: setRecord(record, live.length === 0 ? 'Add' : 'Change'),
            },
          ),
        );
      const foreign = live.filter(
        (address) => !wanted.some(({ data }) => 'address' in data && data.address === address),
      );
      if (foreign.length > 0)
        return [
          warn(answer, `${host} also resolves to ${foreign.join(', ')}, where this server is not.`, {
            expected,
            fix: { text: `Remove the ${type} records with ${foreign.join(', ')} at ${host}.` },
          }),
        ];
      return [pass(answer, `${host} resolves to the server.`, { expected })];
    },
  };
}

function addressText(records: readonly DesiredRecord[]): string {
  return records.flatMap(({ data }) => ('address' in data ? [data.address] : [])).join(', ');
}

/** No such record is planned: an address that is not the server's only sends mail astray. */
function judgeUnplanned(answer: Answer, known: readonly string[]): Verdict[] {
  const foreign = addressesOf(answer).filter((address) => !known.includes(address));
  if (known.length > 0 && addressesOf(answer).length === 0)
    return [fail(answer, `${answer.name} has no ${answer.type} record.`, { expected: known.join(', ') })];
  if (foreign.length === 0)
    return addressesOf(answer).length === 0 ? [] : [pass(answer, 'The address is the server’s.')];
  return [
    warn(
      answer,
      `${answer.name} has an ${answer.type} record that the server does not use; senders will try it.`,
      {
        expected: known.join(', ') || `no ${answer.type} record`,
        fix: {
          text: `Remove the ${answer.type} record at ${answer.name}, or enable ${answer.type === 'AAAA' ? 'IPv6' : 'IPv4'} on the server.`,
        },
      },
    ),
  ];
}

export const hostACheck = addressCheck('A');
export const hostAaaaCheck = addressCheck('AAAA');

export const proxyCheck: DnsCheck = {
  id: 'HOST-PROXY',
  group,
  severity: 'fail',
  title: 'No HTTP proxy stands in front of the mail host',
  ref: 'Cloudflare: proxied records carry HTTP only',
  needs: [],
  async run(ctx) {
    const hosts = await findOwnHosts(ctx);
    const { hosts: mx } = await readMx(ctx);
    const verdicts: Verdict[] = [];
    for (const { exchange } of mx)
      if (exchange.startsWith('_dc-mx.'))
        verdicts.push(
          fail(
            { name: ctx.target.domain, type: 'MX' },
            'The MX host is proxied by Cloudflare, which put a made-up name in its place.',
            {
              observed: exchange,
              fix: {
                text: 'In Cloudflare, switch the mail host’s address records to "DNS only" (grey cloud).',
              },
            },
          ),
        );
    const found = await Promise.all(hosts.map(async (host) => ({ host, ...(await readLive(ctx, host)) })));
    for (const { host, v4, v6, addresses } of found) {
      const proxied = addresses.filter(isCloudflareProxy);
      const answer = v4.records.length > 0 ? v4 : v6;
      if (proxied.length > 0) {
        const [wanted] = [...wantedAddresses(ctx, host, 'A'), ...wantedAddresses(ctx, host, 'AAAA')];
        const text = `In Cloudflare, switch the records of ${host} to "DNS only" (grey cloud).`;
        verdicts.push(
          fail(answer, `${host} is behind Cloudflare’s proxy: SMTP does not get through it.`, {
            observed: proxied.join(', '),
            fix: wanted ? { ...setRecord(wanted, 'Change'), text } : { text },
          }),
        );
      }
      verdicts.push(...unknowns(v4, v6));
    }
    if (verdicts.length > 0 || hosts.length === 0) return verdicts;
    return [pass({ name: hosts[0] ?? '', type: 'A' }, 'The mail host answers for itself.')];
  },
};

export const privateAddressCheck: DnsCheck = {
  id: 'HOST-PRIV',
  group,
  severity: 'fail',
  title: 'The mail host’s addresses are public',
  ref: 'RFC 6890',
  needs: [],
  async run(ctx) {
    const hosts = await findOwnHosts(ctx);
    const found = await Promise.all(hosts.map(async (host) => ({ host, ...(await readLive(ctx, host)) })));
    const verdicts = found.flatMap(({ host, v4, v6, addresses }) => {
      const special = addresses.flatMap((address) => {
        const kind = specialAddressKind(address);
        return kind === undefined ? [] : [`${address} (${kind})`];
      });
      const lost = unknowns(v4, v6);
      if (special.length === 0) return lost;
      const observed = special.join(', ');
      const answer = v4.records.length > 0 ? v4 : v6;
      // A6: in a rehearsal such addresses are what one expects.
      if (ctx.deps.privateNetwork)
        return [
          info(answer, 'Not a public address, as expected in a private network or rehearsal.', { observed }),
        ];
      return [
        fail(answer, `${host} has an address that nobody on the Internet can reach.`, {
          observed,
          expected: 'public addresses',
          fix: { text: `Give ${host} the public address of the server.` },
        }),
      ];
    });
    if (verdicts.length > 0) return verdicts;
    const [first] = found.filter(({ addresses }) => addresses.length > 0);
    return first ? [pass(first.v4.records.length > 0 ? first.v4 : first.v6, 'Only public addresses.')] : [];
  },
};
