import { Exit, SetupError } from '../../../errors.js';
import { canonicalName, isWithin, recordKey } from '../../canonical.js';
import type { LiveRecord, RecordData } from '../../record.js';
import type { Answer, AuthoritativeResolver, QueryType, ResolvedRecord } from '../../resolver/types.js';
import type { ProviderContext, Zone } from '../provider.js';

export interface ManualAccess {
  context: ProviderContext;
  authoritative: AuthoritativeResolver;
}

/** What stands at the names that mail uses. A zone cannot be listed from outside, so each is asked for. */
const usualNames: readonly (readonly [label: string, types: readonly QueryType[]])[] = [
  ['', ['A', 'AAAA', 'MX', 'TXT', 'CAA', 'NS']],
  ['*', ['A', 'AAAA', 'MX', 'TXT']],
  ...['mail', 'mta-sts', 'autoconfig', 'autodiscover'].map((label) => [label, ['A', 'AAAA', 'TXT']] as const),
  ...['_dmarc', '_mta-sts', '_smtp._tls'].map((label) => [label, ['TXT']] as const),
  ...['_imaps', '_imap', '_pop3s', '_pop3', '_submissions', '_submission', '_autodiscover', '_sieve'].map(
    (label) => [`${label}._tcp`, ['SRV']] as const,
  ),
];

/** Any name that the caller has in mind. */
const anyTypes: readonly QueryType[] = ['A', 'AAAA', 'MX', 'TXT', 'CAA'];

/** Every (name, type) that matters in a zone; CNAMEs come with whatever is asked. */
export function questionsFor(zone: string, names: readonly string[]): [string, QueryType][] {
  const questions = new Map<string, [string, QueryType]>();
  const ask = (name: string, types: readonly QueryType[]): void => {
    if (!isWithin(name, zone)) return;
    for (const type of types) questions.set(`${name} ${type}`, [name, type]);
  };
  for (const base of new Set([zone, ...names.map(canonicalName)])) {
    const service = base.split('.').some((label) => label.startsWith('_'));
    if (service) {
      ask(base, ['TXT', 'SRV', 'TLSA']);
      continue;
    }
    ask(base, anyTypes);
    ask(`_25._tcp.${base}`, ['TLSA']);
    for (const [label, types] of usualNames) ask(label === '' ? base : `${label}.${base}`, types);
  }
  return [...questions.values()];
}

const plainTypes = new Set(['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'MX', 'TXT', 'SRV', 'CAA', 'TLSA']);
const isPlain = (data: ResolvedRecord['data']): data is RecordData => plainTypes.has(data.type);

/** The records at the asked name itself: what a CNAME leads to belongs to another name. */
export function recordsOf(answer: Answer): LiveRecord[] {
  return [...answer.chain.slice(0, 1), ...answer.records].flatMap(({ name, ttl, data }) =>
    name === answer.name && isPlain(data) ? [{ name, ttl, data }] : [],
  );
}

/**
 * The zone as far as it matters, from its own servers. An answer that says nothing (no reply, SERVFAIL, refused) is an
 * error: a record that cannot be seen must not be taken for absent.
 */
export async function readZoneAnswers(access: ManualAccess, zone: Zone): Promise<LiveRecord[]> {
  const { authoritative, context } = access;
  const questions = questionsFor(zone.name, context.names?.() ?? []);
  const answers = await Promise.all(
    questions.map(([name, type]) => authoritative.resolve(name, type, { signal: context.signal })),
  );
  const unknown = answers.filter(({ status }) => !['ok', 'nodata', 'nxdomain'].includes(status));
  if (unknown.length > 0) {
    throw new SetupError({
      code: 'E_DNS_UNREACHABLE',
      exit: Exit.failed,
      what: `The name servers of ${zone.name} did not answer, so nothing was decided on its records.`,
      evidence: unknown
        .slice(0, 5)
        .map(
          ({ name, type, status, via, detail }) =>
            `${name} ${type}: ${status} from ${via}${detail ? ` (${detail})` : ''}`,
        ),
      fix: ['Run the command again; if it goes on, look at the domain with: smtp-setup check dns'],
    });
  }
  const records = answers.flatMap(recordsOf);
  return [...new Map(records.map((record) => [recordKey(record), record])).values()];
}
