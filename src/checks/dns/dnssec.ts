import { createHash } from 'node:crypto';
import { type Answer, isAbsent, isUnknown, type ZoneData } from '../../dns/resolver/types.js';
import type { DnsCheck, DnsContext } from './context.js';
import { findZone } from './facts.js';
import { fail, info, pass, unknown, warn } from './verdict.js';

type Ds = Extract<ZoneData, { type: 'DS' }>;
type DnsKey = Extract<ZoneData, { type: 'DNSKEY' }>;

/** Whether the resolver found the zone signed; undefined when it cannot be told. */
export function isSigned(ctx: DnsContext): Promise<boolean | undefined> {
  return ctx.once('signed', async () => {
    const zone = await findZone(ctx);
    if ('error' in zone) return undefined;
    const ds = await ctx.askResolver(zone.zone, 'DS');
    return isUnknown(ds.status) ? undefined : ds.status === 'ok';
  });
}

export const dnssecCheck: DnsCheck = {
  id: 'DNSSEC',
  group: 'DNSSEC',
  severity: 'fail',
  title: 'The zone’s signatures are in order',
  ref: 'RFC 4035, RFC 8624',
  needs: [],
  async run(ctx) {
    const zone = await findZone(ctx);
    if ('error' in zone) return [];
    const [soa, ds, keys] = await Promise.all([
      ctx.askResolver(zone.zone, 'SOA'),
      ctx.askResolver(zone.zone, 'DS'),
      ctx.ask(zone.zone, 'DNSKEY'),
    ]);
    if (soa.status === 'servfail') {
      const unchecked = await ctx.askResolver(zone.zone, 'SOA', true);
      if (!isUnknown(unchecked.status))
        return [
          fail(
            soa,
            'The zone is bogus: its signatures do not fit, and validating resolvers no longer find the domain at all.',
            {
              observed: 'SERVFAIL with validation, an answer without it',
              expected: 'a valid chain of trust',
              fix: {
                text: 'Have the DNS provider sign the zone again, or remove the DS record at the registrar until it is repaired.',
              },
            },
          ),
        ];
    }
    const lost = [soa, ds].find((answer) => isUnknown(answer.status));
    if (lost) return [unknown(lost)];
    if (isAbsent(ds.status))
      return [
        info(ds, 'The zone is not signed; DANE is not possible.', { observed: 'no DS record at the parent' }),
      ];
    if (isUnknown(keys.status)) return [unknown(keys)];
    return [judgeChain(zone.zone, soa, ds, keys)];
  },
};

function judgeChain(zone: string, soa: Answer, ds: Answer, keys: Answer) {
  const digests = ds.records.flatMap(({ data }) => (data.type === 'DS' ? [data] : []));
  const dnskeys = keys.records.flatMap(({ data }) => (data.type === 'DNSKEY' ? [data] : []));
  const matching = digests.filter((one) => dnskeys.some((key) => fits(zone, one, key)));
  const observed = digests
    .map((one) => `DS ${one.keyTag} alg ${one.algorithm} digest ${one.digestType}`)
    .join(', ');
  if (matching.length === 0)
    return fail(
      ds,
      'No DS record at the parent fits a key of the zone: validating resolvers cannot find the domain.',
      {
        observed: `${observed}; keys in the zone: ${dnskeys.map((key) => `${key.keyTag} alg ${key.algorithm}`).join(', ') || 'none'}`,
        expected: 'a DS record for a DNSKEY of the zone',
        fix: { text: 'At the registrar, replace the DS record by the one the DNS provider shows.' },
      },
    );
  // RSASHA1 and SHA-1 digests are refused by current validators (RFC 8624 3.1, 3.3).
  const modern = matching.some((one) => one.algorithm >= 8 && one.digestType !== 1);
  if (!modern)
    return warn(ds, 'The chain rests on SHA-1, which validators no longer trust.', {
      observed,
      expected: 'algorithm 13 or 15, digest SHA-256',
      fix: { text: 'Have the DNS provider change the signing algorithm to ECDSA P-256 (13).' },
    });
  if (!soa.ad)
    return info(
      ds,
      'Signed, and the keys fit. This resolver does not validate, so the signatures themselves were not judged.',
      { observed },
    );
  return pass(ds, 'Signed and validated.', { observed });
}

const hashes: Readonly<Record<number, string>> = { 1: 'sha1', 2: 'sha256', 4: 'sha384' };

/** RFC 4034 5.1.4: digest over owner name and key data. */
function fits(zone: string, ds: Ds, key: DnsKey): boolean {
  if (ds.keyTag !== key.keyTag || ds.algorithm !== key.algorithm) return false;
  const hash = hashes[ds.digestType];
  if (hash === undefined) return true;
  const owner = Buffer.concat([
    ...zone
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
  const rdata = Buffer.concat([
    Buffer.from([key.flags >> 8, key.flags & 0xff, 3, key.algorithm]),
    Buffer.from(key.key, 'base64'),
  ]);
  return createHash(hash).update(owner).update(rdata).digest('hex') === ds.digest;
}
