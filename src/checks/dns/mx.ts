import type { DesiredRecord } from '../../dns/record.js';
import { type Answer, isUnknown } from '../../dns/resolver/types.js';
import { parseIp } from '../../lib/ip.js';
import type { Verdict } from '../check.js';
import type { DnsCheck, DnsContext } from './context.js';
import { findMxHosts, readAddresses, readMx } from './facts.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

const group = 'MX';

function ourMx(ctx: DnsContext): DesiredRecord | undefined {
  return ctx.expected('mx').find((record) => record.name === ctx.target.domain && record.data.type === 'MX');
}

export const mxExistsCheck: DnsCheck = {
  id: 'MX-EXISTS',
  group,
  severity: 'fail',
  title: 'The domain says where its mail goes',
  ref: 'RFC 5321 section 5.1',
  needs: [],
  async run(ctx) {
    const { answer, hosts, hasNull } = await readMx(ctx);
    if (isUnknown(answer.status)) return [unknown(answer)];
    const ours = ourMx(ctx);
    if (hosts.length > 0 || hasNull) return [pass(answer, 'There are MX records.')];
    if (ours)
      return [
        fail(answer, 'The domain has no MX record: mail does not find the server.', {
          expected: showMx(ours),
          fix: setRecord(ours, 'Add'),
        }),
      ];
    if (ctx.target.mail === 'send-only')
      return [
        info(answer, 'No MX record: replies and bounces go to the domain’s own address, if it has one.'),
      ];
    return [await judgeFallback(ctx, answer)];
  },
};

/** Without MX the domain's own address counts (RFC 5321 5.1), if there is one. */
async function judgeFallback(ctx: DnsContext, answer: Answer): Promise<Verdict> {
  const { domain } = ctx.target;
  if (answer.status === 'nxdomain')
    return fail(answer, `${domain} does not exist in DNS.`, {
      fix: { text: 'Look whether the name is spelt right, registered, and has a zone at its name servers.' },
    });
  const { addresses, unknown: lost } = await readAddresses(ctx, domain);
  const none = addresses.length === 0 && !lost;
  const message = none
    ? 'No MX record, and no address that could stand in for one: the domain takes no mail.'
    : 'No MX record: senders fall back to the domain’s own address.';
  return warn(answer, message, {
    expected: 'an MX record, or "MX 0 ." for a domain without mail',
    fix: { text: `Add an MX record at ${domain}; for a domain that takes no mail, "0 ." (RFC 7505).` },
  });
}

function showMx(record: DesiredRecord): string {
  return record.data.type === 'MX' ? `${record.data.preference} ${record.data.exchange}` : '';
}

export const mxOursCheck: DnsCheck = {
  id: 'MX-OURS',
  group,
  severity: 'fail',
  title: 'Mail is sent to our host first, and to no foreign one',
  ref: 'RFC 5321 section 5.1',
  needs: ['host'],
  async run(ctx) {
    const { host, domain } = ctx.target;
    const ours = ourMx(ctx);
    const { answer, hosts } = await readMx(ctx);
    if (ctx.target.mail !== 'full' || isUnknown(answer.status) || hosts.length === 0) return [];
    const planned = new Set(
      ctx.expected('mx').flatMap(({ data }) => (data.type === 'MX' ? [data.exchange] : [])),
    );
    if (host !== undefined) planned.add(host);
    const foreign = hosts.filter((mx) => !planned.has(mx.exchange));
    const [first] = hosts;
    const details = { expected: ours ? showMx(ours) : `10 ${host}` };
    const fix = ours ? { fix: setRecord(ours, 'Replace') } : {};
    if (!hosts.some((mx) => mx.exchange === host))
      return [fail(answer, `Mail for ${domain} does not go to ${host}.`, { ...details, ...fix })];
    if (foreign.length > 0 && first && !planned.has(first.exchange))
      return [fail(answer, `${first.exchange} gets the mail first.`, { ...details, ...fix })];
    if (foreign.length > 0)
      return [
        fail(
          answer,
          `Foreign MX hosts stand beside ours: ${foreign.map((mx) => mx.exchange).join(', ')} may take mail that nobody reads.`,
          {
            ...details,
            fix: {
              text: `Remove these MX records at ${domain}. If the hosts are backups of yours, name the server as backup: in smtp-setup.yaml, or suppress MX-OURS there with the reason.`,
            },
          },
        ),
      ];
    return [pass(answer, `Mail goes to ${host}.`, details)];
  },
};

export const mxAliasCheck: DnsCheck = {
  id: 'MX-CNAME',
  group,
  severity: 'fail',
  title: 'No MX points to an alias',
  ref: 'RFC 2181 section 10.3',
  needs: [],
  async run(ctx) {
    const { answer, hosts } = await readMx(ctx);
    if (hosts.length === 0) return [];
    const found = await Promise.all((await findMxHosts(ctx)).map((host) => readAddresses(ctx, host)));
    const aliases = found.filter(({ v4, v6 }) => v4.chain.length > 0 || v6.chain.length > 0);
    if (aliases.length > 0)
      return aliases.map(({ host, v4, v6 }) => {
        const target = (v4.chain[0] ?? v6.chain[0])?.data;
        return fail(answer, `The MX ${host} is an alias; many servers refuse to deliver there.`, {
          observed: target?.type === 'CNAME' ? `${host} CNAME ${target.target}` : host,
          expected: 'a host with address records',
          fix: {
            text: `Give ${host} A and AAAA records instead of the CNAME, or let the MX point to its target.`,
          },
        });
      });
    const lost = found.find((one) => one.unknown && one.addresses.length === 0);
    return lost ? [unknown(lost.v4)] : [pass(answer, 'The MX hosts have addresses of their own.')];
  },
};

export const mxLiteralCheck: DnsCheck = {
  id: 'MX-IP',
  group,
  severity: 'fail',
  title: 'MX records name hosts, not addresses',
  ref: 'RFC 5321 section 5.1',
  needs: [],
  async run(ctx) {
    const { answer, hosts } = await readMx(ctx);
    const literals = hosts.filter((mx) => parseIp(mx.exchange) !== undefined);
    if (literals.length > 0)
      return literals.map((mx) =>
        fail(answer, `The MX ${mx.exchange} is an address; an MX must name a host.`, {
          expected: 'a host name',
          fix: { text: 'Make a host name with this address and let the MX point to it.' },
        }),
      );
    return hosts.length > 0 ? [pass(answer, 'Only host names.')] : [];
  },
};

export const mxAddressCheck: DnsCheck = {
  id: 'MX-NOADDR',
  group,
  severity: 'fail',
  title: 'Every MX host has an address',
  ref: 'RFC 5321 section 5.1',
  needs: [],
  async run(ctx) {
    const { answer } = await readMx(ctx);
    const named = (await findMxHosts(ctx)).filter((host) => parseIp(host) === undefined);
    if (named.length === 0) return [];
    const found = await Promise.all(named.map((host) => readAddresses(ctx, host)));
    const verdicts = found.flatMap(({ host, v4, v6, addresses }): Verdict[] => {
      if (addresses.length > 0) return [];
      const lost = [v4, v6].find((one) => isUnknown(one.status));
      if (lost) return [unknown(lost)];
      return [
        fail(v4, `The MX ${host} has no address: mail cannot be delivered there.`, {
          expected: 'A or AAAA records',
          fix: { text: `Add an A record at ${host}, or remove the MX.` },
        }),
      ];
    });
    return verdicts.length > 0 ? verdicts : [pass(answer, 'All MX hosts have addresses.')];
  },
};

export const nullMxCheck: DnsCheck = {
  id: 'MX-NULL',
  group,
  severity: 'fail',
  title: 'A null MX stands alone, and only where no mail is wanted',
  ref: 'RFC 7505 section 3',
  needs: [],
  async run(ctx) {
    const { answer, hosts, hasNull } = await readMx(ctx);
    if (!hasNull) return [];
    const fix = { text: `Remove the MX record "0 ." at ${ctx.target.domain}.` };
    if (hosts.length > 0)
      return [fail(answer, 'A null MX ("no mail here") stands beside real ones.', { fix })];
    if (ctx.target.mail === 'full')
      return [fail(answer, 'A null MX tells everybody that the domain takes no mail.', { fix })];
    return [info(answer, 'The domain says that it takes no mail (null MX).')];
  },
};

export const mxIpv6Check: DnsCheck = {
  id: 'MX-V6',
  group,
  severity: 'info',
  title: 'Mail can be delivered over IPv6',
  ref: 'RFC 3974',
  needs: [],
  async run(ctx) {
    const { answer, hosts } = await readMx(ctx);
    if (hosts.length === 0) return [];
    const found = await Promise.all((await findMxHosts(ctx)).map((host) => readAddresses(ctx, host)));
    const without = found.filter(({ v6 }) => v6.status !== 'ok');
    if (without.length === 0) return [pass(answer, 'Every MX host has IPv6.')];
    const lost = without.find(({ v6 }) => isUnknown(v6.status));
    if (lost) return [unknown(lost.v6)];
    return [
      info(answer, `No IPv6 address: ${without.map(({ host }) => host).join(', ')}.`, {
        expected: 'AAAA records',
      }),
    ];
  },
};

export const mxDuplicateCheck: DnsCheck = {
  id: 'MX-DUP',
  group,
  severity: 'warn',
  title: 'No MX host is named twice',
  ref: 'RFC 5321 section 5.1',
  needs: [],
  async run(ctx) {
    const { answer, hosts } = await readMx(ctx);
    const twice = hosts.filter(
      ({ exchange }, index) => hosts.findIndex((mx) => mx.exchange === exchange) !== index,
    );
    if (twice.length > 0)
      return [
        warn(answer, `Named more than once: ${[...new Set(twice.map((mx) => mx.exchange))].join(', ')}.`, {
          fix: { text: 'Leave one MX record for each host.' },
        }),
      ];
    return hosts.length > 0 ? [pass(answer, 'Each MX host is named once.')] : [];
  },
};
