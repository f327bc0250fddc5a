import { dataKey } from '../../dns/canonical.js';
import { isRecordData, isUnknown, type NameServer, type ServerAnswer } from '../../dns/resolver/types.js';
import type { Verdict } from '../check.js';
import type { DnsCheck, DnsContext } from './context.js';
import { findZone } from './facts.js';
import { describeAnswer, fail, info, pass, unknown, warn } from './verdict.js';

const group = 'Zone';

function noZone(ctx: DnsContext, error: string): Verdict[] {
  return [
    {
      status: 'unknown',
      name: ctx.target.domain,
      type: 'NS',
      subject: `${ctx.target.domain} NS`,
      message: `The zone's name servers could not be found: ${error}.`,
    },
  ];
}

export const hostsOf = (names: readonly string[]) => [...new Set(names)].sort();

export const delegationCheck: DnsCheck = {
  id: 'NS-DELEG',
  group,
  severity: 'fail',
  title: 'The parent zone delegates to the zone’s own name servers',
  ref: 'RFC 1034 section 4.2.2',
  needs: [],
  async run(ctx) {
    // Most domains are zones of their own, so the parent is asked while that is still being found out.
    const { domain } = ctx.target;
    const guess = ctx.deps.authoritative.readDelegation(domain);
    // An abort rejects it too, possibly while nobody waits.
    void Promise.allSettled([guess]);
    const zone = await findZone(ctx);
    if ('error' in zone) {
      await guess;
      return noZone(ctx, zone.error);
    }
    const [first, own] = await Promise.all([guess, ctx.ask(zone.zone, 'NS')]);
    const delegation = zone.zone === domain ? first : await ctx.deps.authoritative.readDelegation(zone.zone);
    if ('error' in delegation) return noZone(ctx, delegation.error);
    if (isUnknown(own.status)) return [unknown(own)];
    const above = hostsOf(delegation.hosts);
    const inside = hostsOf(own.records.flatMap(({ data }) => (data.type === 'NS' ? [data.target] : [])));
    const provider = ctx.target.providerNameServers && hostsOf(ctx.target.providerNameServers);
    const details = {
      observed: `${delegation.parent || 'the root'} delegates to: ${above.join(', ') || 'nothing'}`,
    };
    const strange = provider === undefined ? [] : above.filter((host) => !provider.includes(host));
    if (provider !== undefined && strange.length > 0 && strange.length < above.length)
      return [
        warn(
          own,
          `The delegation also names servers that the DNS provider did not give: ${strange.join(', ')}.`,
          {
            ...details,
            expected: provider.join(', '),
            fix: { text: 'See at the registrar whether they still serve the zone.' },
          },
        ),
      ];
    if (provider !== undefined && strange.length > 0)
      return [
        fail(
          own,
          'The domain is delegated to other name servers than those of the DNS provider: what is written there is not seen.',
          {
            ...details,
            expected: provider.join(', '),
            fix: {
              text: `At the registrar, set the name servers of ${zone.zone} to: ${provider.join(', ')}.`,
            },
          },
        ),
      ];
    if (above.join() === inside.join())
      return [pass(own, 'Delegation and zone name the same servers.', details)];
    return [
      fail(own, 'The delegation and the zone’s own NS records differ.', {
        ...details,
        expected: `the zone’s own NS set: ${inside.join(', ') || 'none'}`,
        fix: { text: `Make the NS records in ${zone.zone} and the name servers at the registrar the same.` },
      }),
    ];
  },
};

export const authorityCheck: DnsCheck = {
  id: 'NS-AUTH',
  group,
  severity: 'warn',
  title: 'Every name server answers with authority, over UDP and TCP',
  ref: 'RFC 1912 section 2.8, RFC 7766',
  needs: [],
  async run(ctx) {
    const zone = await findZone(ctx);
    if ('error' in zone) return noZone(ctx, zone.error);
    const asked = { name: zone.zone, type: 'SOA' } as const;
    const verdicts = zone.unusable.map(({ host, reason }) =>
      warn(asked, `${host} cannot be asked: ${reason}.`, { subject: host }),
    );
    const probed = await Promise.all(
      zone.servers.map(async (server) => {
        const ask = (transport: 'udp' | 'tcp') => ctx.deps.authoritative.probe(server, zone.zone, transport);
        const [udp, tcp] = await Promise.all([ask('udp'), ask('tcp')]);
        return { server, udp, tcp };
      }),
    );
    // Silence of every server says more about this network than about them.
    const allSilent = probed.length > 0 && probed.every(({ udp, tcp }) => isSilent(udp) && isSilent(tcp));
    if (allSilent)
      return [
        ...verdicts,
        unknown({
          ...asked,
          status: 'timeout',
          records: [],
          chain: [],
          ad: false,
          via: 'all servers',
          level: 'authoritative',
          detail: 'no name server can be reached from here',
        }),
      ];
    for (const one of probed) verdicts.push(...judgeServer(one, zone.zone));
    if (verdicts.length > 0 || probed.length === 0) return verdicts;
    return [pass(asked, `${probed.length} addresses asked; all answer.`)];
  },
};

function isSilent(answer: ServerAnswer): boolean {
  return answer.status === 'timeout';
}

function judgeServer(
  { server, udp, tcp }: { server: NameServer; udp: ServerAnswer; tcp: ServerAnswer },
  zone: string,
): Verdict[] {
  const subject = `${server.host} (${server.address})`;
  const remark = (answer: ServerAnswer, message: string) => [
    warn(answer, message, {
      subject,
      observed: describeAnswer(answer),
      fix: { text: `Have ${server.host} serve ${zone}, or take it out of the NS set and the delegation.` },
    }),
  ];
  // A machine without IPv6 cannot judge IPv6 addresses.
  if (isSilent(udp) && isSilent(tcp) && server.address.includes(':')) return [];
  if (isSilent(udp)) return remark(udp, `${subject} does not answer over UDP.`);
  if (isSilent(tcp)) return remark(tcp, `${subject} does not answer over TCP; large answers need it.`);
  const lame = [udp, tcp].find((answer) => answer.lame || answer.status !== 'ok');
  return lame ? remark(lame, `${subject} does not serve the zone (lame).`) : [];
}

export const syncCheck: DnsCheck = {
  id: 'NS-SYNC',
  group,
  severity: 'warn',
  title: 'All name servers serve the same version of the zone',
  ref: 'RFC 1912 section 2.2',
  needs: [],
  async run(ctx) {
    const zone = await findZone(ctx);
    if ('error' in zone) return [];
    const answers = (await ctx.askEach(zone.zone, 'SOA')).filter((answer) => answer.status === 'ok');
    if (answers.length < 2) return [];
    const serials = answers.map((answer) => ({
      host: answer.server.host,
      serial: answer.records.flatMap(({ data }) => (data.type === 'SOA' ? [data.serial] : []))[0] ?? 0,
    }));
    const shown = serials.map(({ host, serial }) => `${host}: ${serial}`).join(', ');
    const [first] = answers;
    if (!first) return [];
    const { differing, lost } = await compareSets(ctx);
    const sameSerial = new Set(serials.map(({ serial }) => serial)).size === 1;
    if (differing.length === 0 && lost) return [unknown(lost)];
    if (sameSerial && differing.length === 0) return [pass(first, 'The servers agree.', { observed: shown })];
    const text = 'Wait some minutes for the servers to catch up; if it stays, look at the zone transfers.';
    if (differing.length > 0)
      return differing.map((name) =>
        warn(first, `The name servers answer differently about ${name}.`, {
          subject: name,
          observed: shown,
          fix: { text },
        }),
      );
    // Some providers give each server its own serial, so this alone is no fault.
    return [
      info(first, 'The serials differ, but the records that matter here are the same.', { observed: shown }),
    ];
  },
};

/** Names of our records that not all servers answer alike, and a question that some server failed to answer. */
async function compareSets(ctx: DnsContext): Promise<{ differing: string[]; lost?: ServerAnswer }> {
  const sets = new Map<string, Parameters<DnsContext['askEach']>>();
  for (const { name, data, pending } of ctx.target.expected)
    if (data.type !== 'OTHER' && pending === undefined) sets.set(`${name} ${data.type}`, [name, data.type]);
  sets.set(`${ctx.target.domain} MX`, [ctx.target.domain, 'MX']);
  const asked = await Promise.all(
    [...sets].map(async ([key, question]) => {
      const answers = await ctx.askEach(...question);
      const values = answers
        .filter((answer) => !isUnknown(answer.status))
        .map((answer) =>
          answer.records
            .map(({ data }) => (isRecordData(data) ? dataKey(data) : ''))
            .sort()
            .join('\n'),
        );
      // A server that is silent altogether is NS-AUTH's business.
      const lost = answers.find(({ status }) => isUnknown(status) && status !== 'timeout');
      return { key, differs: new Set(values).size > 1, lost };
    }),
  );
  const lost = asked.find((one) => one.lost)?.lost;
  return { differing: asked.filter(({ differs }) => differs).map(({ key }) => key), ...(lost && { lost }) };
}
