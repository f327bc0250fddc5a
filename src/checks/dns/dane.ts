import { createHash, X509Certificate } from 'node:crypto';
import { isWithin } from '../../dns/canonical.js';
import { type Answer, isAbsent, isUnknown } from '../../dns/resolver/types.js';
import type { Verdict } from '../check.js';
import { type DnsCheck, type DnsContext, holds } from './context.js';
import { isSigned } from './dnssec.js';
import { findMxHosts, readAddresses } from './facts.js';
import { splitReachable } from './reachable.js';
import { fail, info, pass, setRecord, unknown, warn } from './verdict.js';

const group = 'DANE';
const mostHosts = 10;

interface TlsaRecord {
  usage: number;
  selector: number;
  matchingType: number;
  data: string;
}

interface DaneFacts {
  host: string;
  own: boolean;
  /** From the zone's own servers for own hosts, else from the resolver. */
  answer: Answer;
  /** From the resolver, as a sender that knows DANE sees it. */
  seen: Answer;
  records: readonly TlsaRecord[];
}

function readDane(ctx: DnsContext): Promise<readonly DaneFacts[]> {
  return ctx.once('dane', async () => {
    const names = new Set(await findMxHosts(ctx));
    for (const { name } of ctx.expected('tlsa'))
      if (name.startsWith('_25._tcp.')) names.add(name.slice('_25._tcp.'.length));
    return Promise.all(
      [...names].slice(0, mostHosts).map(async (host) => {
        const name = `_25._tcp.${host}`;
        const own = host === ctx.target.host || isWithin(host, ctx.target.domain);
        const [answer, seen] = await Promise.all([
          own ? ctx.ask(name, 'TLSA') : ctx.askResolver(name, 'TLSA'),
          ctx.askResolver(name, 'TLSA'),
        ]);
        const records = answer.records.flatMap(({ data }) => (data.type === 'TLSA' ? [data] : []));
        return { host, own, answer, seen, records };
      }),
    );
  });
}

export const daneExistsCheck: DnsCheck = {
  id: 'DANE-EXISTS',
  group,
  severity: 'info',
  title: 'The MX hosts publish the key they serve',
  ref: 'RFC 7672',
  needs: [],
  async run(ctx) {
    return (await readDane(ctx)).flatMap(({ host, answer, records }): Verdict[] => {
      if (isUnknown(answer.status)) return [];
      if (records.length > 0) return [pass(answer, `${host} has TLSA records.`)];
      const planned = ctx.expected('tlsa').some((record) => record.name === answer.name);
      return planned ? [] : [info(answer, `${host} has no TLSA record.`)];
    });
  },
};

export const daneMatchCheck: DnsCheck = {
  id: 'DANE-MATCH',
  group,
  severity: 'fail',
  title: 'The served key is one of those published',
  ref: 'RFC 7672 sections 2.2 and 3.1',
  needs: [],
  async run(ctx) {
    const verdicts = await Promise.all((await readDane(ctx)).map((facts) => matchHost(ctx, facts)));
    return verdicts.flat();
  },
};

async function matchHost(ctx: DnsContext, facts: DaneFacts): Promise<Verdict[]> {
  const { answer, host, records } = facts;
  if (isUnknown(answer.status)) return [unknown(answer)];
  const planned = ctx.expected('tlsa').filter((record) => record.name === answer.name);
  const missing = planned.filter((record) => !holds(answer.records, record.data));
  if (missing.length > 0)
    return missing.map((record) =>
      fail(
        answer,
        'A planned TLSA record is missing: once the server uses that key, DANE senders stop delivering.',
        {
          expected: record.data.type === 'TLSA' ? `3 1 1 ${record.data.data}` : '',
          fix: setRecord(record, 'Add'),
        },
      ),
    );
  if (records.length === 0 || !ctx.deps.probe) return [];
  const { addresses } = await readAddresses(ctx, host);
  const { allowed } = splitReachable(addresses, ctx.deps.connectPrivate ?? ctx.deps.privateNetwork);
  const looks = await Promise.all(
    allowed.slice(0, 4).map(async (address) => ({
      address,
      look: await ctx.deps.probe?.({ address, port: 25, servername: host }),
    })),
  );
  return looks.flatMap(({ address, look }): Verdict[] => {
    const subject = `${host} (${address}) port 25`;
    if (!look?.ok)
      return [
        {
          status: 'unknown',
          name: answer.name,
          type: 'TLSA',
          subject,
          message: 'The served certificate could not be looked at from here.',
          observed: look?.detail ?? '',
        },
      ];
    const served = look.chain[0];
    if (served && records.some((record) => tlsaMatches(record, look.chain)))
      return [pass(answer, 'The served key is published.', { subject })];
    return [
      fail(answer, 'No TLSA record fits the served certificate: DANE senders stop delivering.', {
        subject,
        expected: served
          ? `3 1 1 ${digestOf({ usage: 3, selector: 1, matchingType: 1 }, served)}`
          : 'a certificate',
        fix: {
          text: `Publish the TLSA record of the served key at ${answer.name}, or remove the TLSA records there.`,
        },
      }),
    ];
  });
}

/** Usages 2 and 3 are the ones that mail uses (RFC 7672 3.1). */
export function tlsaMatches(record: TlsaRecord, chain: readonly Uint8Array[]): boolean {
  const candidates = record.usage === 3 ? chain.slice(0, 1) : record.usage === 2 ? chain : [];
  return candidates.some((der) => digestOf(record, der) === record.data.toLowerCase());
}

function digestOf(
  record: Pick<TlsaRecord, 'usage' | 'selector' | 'matchingType'>,
  der: Uint8Array,
): string | undefined {
  const bytes =
    record.selector === 1
      ? new X509Certificate(der).publicKey.export({ type: 'spki', format: 'der' })
      : Buffer.from(der);
  if (record.matchingType === 0) return bytes.toString('hex');
  const hash = record.matchingType === 1 ? 'sha256' : record.matchingType === 2 ? 'sha512' : undefined;
  return hash && createHash(hash).update(bytes).digest('hex');
}

export const daneUnsignedCheck: DnsCheck = {
  id: 'DANE-UNSIGNED',
  group,
  severity: 'warn',
  title: 'TLSA records stand in a signed zone',
  ref: 'RFC 7672 section 2.2',
  needs: [],
  async run(ctx) {
    const signed = await isSigned(ctx);
    return (await readDane(ctx)).flatMap(({ answer, seen, own, records }): Verdict[] => {
      if (records.length === 0) return [];
      if (seen.ad) return [pass(seen, 'Validated.')];
      if (own && signed === false)
        return [
          warn(answer, 'The zone is not signed, so no sender looks at the TLSA records.', {
            fix: { text: 'Switch on DNSSEC for the zone, or remove the TLSA records.' },
          }),
        ];
      return [info(seen, 'The resolver did not validate the TLSA records.')];
    });
  },
};

export const daneUsageCheck: DnsCheck = {
  id: 'DANE-USAGE',
  group,
  severity: 'warn',
  title: 'TLSA records outlive a renewal',
  ref: 'RFC 7672 section 3.1.3, RFC 7671 section 8',
  needs: [],
  async run(ctx) {
    return (await readDane(ctx)).flatMap(({ answer, records }): Verdict[] => {
      if (records.length === 0) return [];
      const pkix = records.find((record) => record.usage < 2);
      if (pkix)
        return [
          warn(answer, `Usage ${pkix.usage} is not for mail; senders ignore the record.`, {
            expected: '3 1 1',
            fix: { text: 'Publish "3 1 1" records instead.' },
          }),
        ];
      const whole = records.find((record) => record.usage === 3 && record.selector === 0);
      if (whole)
        return [
          warn(
            answer,
            `"3 0 ${whole.matchingType}" names the whole certificate, so each renewal breaks it.`,
            { expected: '3 1 1', fix: { text: 'Publish "3 1 1" (the key) and keep the key in renewals.' } },
          ),
        ];
      if (records.length === 1)
        return [info(answer, 'Only one TLSA record: publish the next key’s two TTLs before it is used.')];
      return [pass(answer, 'Keys are published, the next one too.')];
    });
  },
};

export const daneDenialCheck: DnsCheck = {
  id: 'DANE-DOE',
  group,
  severity: 'fail',
  title: 'TLSA questions are answered, also when there is no record',
  ref: 'RFC 7672 section 2.1',
  needs: [],
  async run(ctx) {
    const verdicts = await Promise.all(
      (await readDane(ctx)).map(async ({ host, seen }): Promise<Verdict[]> => {
        if (seen.status === 'ok' || isAbsent(seen.status)) return [pass(seen, 'The question is answered.')];
        const address = await ctx.askResolver(host, 'A');
        if (seen.status === 'servfail' && !isUnknown(address.status))
          return [
            fail(
              seen,
              `Questions for TLSA at ${host} fail although the host itself is found: senders that know DANE hold back their mail.`,
              {
                expected: 'a TLSA record, or a proof that there is none',
                fix: {
                  text: 'Have the DNS provider repair denial of existence (NSEC/NSEC3), or change the provider.',
                },
              },
            ),
          ];
        return [unknown(seen)];
      }),
    );
    return verdicts.flat();
  },
};
