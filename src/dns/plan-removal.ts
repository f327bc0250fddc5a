import { isWithin, sameRecord } from './canonical.js';
import { type JournalEntry, undoDns, undoOrder } from './journal.js';
import { ownRoleOf } from './mark.js';
import { isSameDkimKey } from './merge/dkim.js';
import { type ChangeDraft, sequenceChanges } from './merge/sequence.js';
import type { Change } from './providers/provider.js';
import type { DnsRecord, LiveRecord, Stage } from './record.js';
import type { PlannedChange } from './zone-plan.js';

export interface RemovalInput {
  live: readonly LiveRecord[];
  journal: readonly JournalEntry[];
  /** Only what lies at or below one of these. */
  names: readonly string[];
  /** And not at or below any of these: other domains, hosts that stay. */
  except: readonly string[];
  installId: string;
  /** Roles that stay for now. */
  keepRoles?: readonly string[];
  /** What this server's records hold, for a machine that did not write them. */
  values: OwnValues;
}

export interface OwnValues {
  /** Names of the mail hosts. */
  hosts: readonly string[];
  addresses: readonly string[];
  /** SPF, DKIM and DMARC. */
  texts: readonly string[];
  /** Of the server's keys, as TLSA records announce them. */
  digests?: readonly string[];
}

export interface Removal {
  changes: PlannedChange[];
  /** What carries our mark and holds another value now: it stays. */
  changed: LiveRecord[];
}

const stageOfRole: Readonly<Record<string, Stage>> = {
  a: 'host',
  aaaa: 'host',
  caa: 'host',
  spf: 'auth',
  'host-spf': 'auth',
  dkim: 'auth',
  dmarc: 'policy',
  mx: 'mx',
};

/**
 * What is ours under some names, taken back: what the journal says is undone where our value still stands; what it does
 * not speak of goes when it carries our mark and holds what is ours, too. Latest stage first. Pure.
 */
export function planRemoval(input: RemovalInput): Removal {
  const { live, journal, installId, keepRoles = [] } = input;
  const meant = (name: string): boolean =>
    input.names.some((top) => isWithin(name, top)) && !input.except.some((top) => isWithin(name, top));
  const undone = undoDns(journal, live).changes.filter(
    (change) =>
      meant((change.before ?? change.after)?.name ?? '') &&
      !keepRoles.includes(change.role) &&
      change.op !== 'create',
  );
  const touched = undone.flatMap(({ before }) => (before === undefined ? [] : [before]));
  const marked = live.flatMap((record) => {
    const role = ownRoleOf(record.mark, installId);
    if (role === undefined || !meant(record.name)) return [];
    // Of a role that was cut only the beginning is known.
    if (keepRoles.some((kept) => kept.startsWith(role))) return [];
    return touched.some((other) => sameRecord(other, record)) ? [] : [{ record, role }];
  });
  const journaled = new Set(
    journal.flatMap((entry) => (entry.kind === 'write' ? [slotOf(recordOf(entry.change))] : [])),
  );
  const goes = ({ record }: { record: LiveRecord }): boolean =>
    !journaled.has(slotOf(record)) && holdsOurs(record, input.values);
  const drafts = undone.map(
    ({ op, before, after, stage, role, reason, mark }): ChangeDraft => ({
      op,
      stage,
      role,
      reason,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      ...(mark === undefined ? {} : { mark }),
    }),
  );
  const more = marked.filter(goes).map(
    ({ record, role }): ChangeDraft => ({
      op: 'delete',
      before: record,
      stage: stageOfRole[role] ?? 'tail',
      role,
      reason: 'It carries our mark and holds what is ours.',
    }),
  );
  return {
    changes: sequenceChanges(live, [...drafts, ...more], undoOrder),
    changed: marked.filter((entry) => !goes(entry)).map(({ record }) => record),
  };
}

const slotOf = ({ name, data }: DnsRecord): string => `${name} ${data.type}`;

const recordOf = (change: Change): DnsRecord => (change.op === 'delete' ? change.before : change.after);

/** A mark is a hint, not a licence: somebody may have given the record another value since. */
function holdsOurs({ data }: LiveRecord, { hosts, addresses, texts, digests = [] }: OwnValues): boolean {
  switch (data.type) {
    case 'A':
    case 'AAAA':
      return addresses.includes(data.address);
    case 'MX':
      return hosts.includes(data.exchange);
    case 'CNAME':
    case 'SRV':
      return hosts.includes(data.target);
    case 'TLSA':
      return digests.includes(data.data.toLowerCase());
    case 'TXT':
      return (
        /^v=(STSv1|TLSRPTv1);/.test(data.text) ||
        texts.some((text) => text === data.text || isSameDkimKey(text, data.text))
      );
    default:
      return false;
  }
}
