import { isUnknown } from '../../dns/resolver/types.js';
import type { DnsCheck } from './context.js';
import { hostsOf } from './delegation.js';
import { findZone } from './facts.js';
import { info, pass, unknown } from './verdict.js';

const group = 'Zone';

export const serverCountCheck: DnsCheck = {
  id: 'NS-COUNT',
  group,
  severity: 'info',
  title: 'The zone has at least two name servers',
  ref: 'RFC 2182 section 5',
  needs: [],
  async run(ctx) {
    const zone = await findZone(ctx);
    if ('error' in zone) return [];
    const asked = { name: zone.zone, type: 'NS' } as const;
    const hosts = hostsOf([...zone.servers, ...zone.unusable].map((server) => server.host));
    const observed = hosts.join(', ');
    return hosts.length >= 2
      ? [pass(asked, `${hosts.length} name servers.`, { observed })]
      : [
          info(asked, 'Only one name server: when it is down, the domain is gone.', {
            observed,
            expected: 'two or more',
          }),
        ];
  },
};

export const serverIpv6Check: DnsCheck = {
  id: 'NS-V6',
  group,
  severity: 'info',
  title: 'Name servers can be reached over IPv6',
  ref: 'RFC 3901 section 3',
  needs: [],
  async run(ctx) {
    const zone = await findZone(ctx);
    if ('error' in zone) return [];
    const asked = { name: zone.zone, type: 'NS' } as const;
    const hosts = hostsOf(
      zone.servers.filter((server) => server.address.includes(':')).map((server) => server.host),
    );
    const observed = hosts.length === 0 ? 'none has an IPv6 address' : `with IPv6: ${hosts.join(', ')}`;
    return hosts.length >= 2
      ? [pass(asked, `${hosts.length} name servers have IPv6.`, { observed })]
      : [info(asked, 'Fewer than two name servers have IPv6.', { observed, expected: 'two or more' })];
  },
};

const patientNegativeTtl = 3600;

export const negativeTtlCheck: DnsCheck = {
  id: 'NEG-TTL',
  group,
  severity: 'info',
  title: 'A new record becomes visible within an hour',
  ref: 'RFC 2308 section 5',
  needs: [],
  async run(ctx) {
    const zone = await findZone(ctx);
    if ('error' in zone) return [];
    const answer = await ctx.ask(zone.zone, 'SOA');
    if (isUnknown(answer.status)) return [unknown(answer)];
    const ttl = answer.soa?.negativeTtl;
    if (ttl === undefined) return [];
    const observed = `${ttl} s`;
    return ttl <= patientNegativeTtl
      ? [pass(answer, 'The negative TTL is short enough.', { observed })]
      : [
          info(
            answer,
            'Resolvers may remember for long that a record does not exist: the first publication can be slow.',
            {
              observed,
              expected: `at most ${patientNegativeTtl} s`,
              fix: { text: `Lower the SOA minimum of ${zone.zone} to ${patientNegativeTtl} or less.` },
            },
          ),
        ];
  },
};
