import { Exit, SetupError } from '../../errors.js';
import { auditByCapabilities, auditTargets } from './audit-record.js';
import { findMissing } from './manual/find-missing.js';
import { type ManualAccess, readZoneAnswers } from './manual/read-answers.js';
import type {
  Applied,
  Capabilities,
  Change,
  DnsProvider,
  ProviderContext,
  ProviderDefinition,
  Zone,
} from './provider.js';

const capabilities: Capabilities = {
  types: new Set(['A', 'AAAA', 'CNAME', 'NS', 'PTR', 'MX', 'TXT', 'SRV', 'CAA', 'TLSA']),
  unit: 'record',
  atomic: false,
  marks: 'none',
  minTtl: 0,
  maxTtl: 2_147_483_647,
  batchMax: 1000,
  nullMx: true,
  manual: true,
};

/** No API: planned from what the zone's own servers answer; what they do not show yet is for the user to enter. */
export const manual: ProviderDefinition = {
  id: 'manual',
  title: 'Entering the records by hand',
  nameServers: [],
  credentials: [],
  tokenUrl: 'https://www.rfc-editor.org/rfc/rfc1035#section-5',
  rights: 'nothing: the records are printed, and entered by you at your DNS provider',
  capabilities,
  open: openManual,
};

async function openManual(context: ProviderContext): Promise<DnsProvider> {
  const { authoritative } = context;
  if (!authoritative) throw new TypeError('the manual provider needs a resolver in its context');
  const access: ManualAccess = { context, authoritative };
  return {
    verify: async () => ({ detail: 'records are printed for you to enter' }),
    findZone: (name) => findZone(access, name),
    list: (zone) => readZoneAnswers(access, zone),
    audit: (record) => [...auditByCapabilities('DNS', capabilities, record), ...auditTargets(record.data)],
    apply: async (_zone, changes) => {
      const missing = new Map((await findMissing(access, changes)).map((one) => [one.change, one.state]));
      return changes.map((change) => toApplied(change, missing.get(change)));
    },
    findMissing: (changes) => findMissing(access, changes),
  };
}

function toApplied(change: Change, state: string | undefined): Applied {
  if (state !== undefined) return { ok: false, code: 'E_DNS_PENDING', error: `not seen yet: ${state}` };
  return { ok: true, ...(change.op === 'delete' ? {} : { record: change.after }) };
}

async function findZone({ authoritative, context }: ManualAccess, name: string): Promise<Zone> {
  const found = await authoritative.findZone(name, context.signal);
  if ('error' in found) {
    throw new SetupError({
      code: 'E_DNS_UNREACHABLE',
      exit: Exit.failed,
      what: `The name servers of ${name} could not be found.`,
      evidence: [found.error],
      fix: ['Check that the domain is registered and delegated, and that DNS works from here.'],
    });
  }
  const hosts = [
    ...new Set(found.servers.map(({ host }) => host)),
    ...found.unusable.map(({ host }) => host),
  ];
  return { id: found.zone, name: found.zone, nameServers: hosts, state: 'active' };
}
