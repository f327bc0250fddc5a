import { canonicalRecord, formatRecord, rrsetKey, sameRecord, typeOf } from '../canonical.js';
import { ownRoleOf, renderMark } from '../mark.js';
import { type DesiredRecord, type DnsRecord, type LiveRecord, type Stage, stages } from '../record.js';
import { textToBytes } from '../txt.js';
import type {
  Conflict,
  ConsentName,
  KeptRecord,
  PlanNote,
  PlanZoneInput,
  StageWait,
  ZonePlan,
} from '../zone-plan.js';
import { type ChangeDraft, sequenceChanges } from './sequence.js';

/** What the merge rules work with: the zone as it stands, and one method for each thing that they may decide. */
export interface PlanBuilder {
  readonly input: PlanZoneInput;
  /** Canonical, without what providers list but nobody edits. */
  readonly live: readonly LiveRecord[];
  at(name: string): LiveRecord[];
  set(name: string, type: string): LiveRecord[];
  /** Carries the mark of this installation. */
  isOurs(record: LiveRecord): boolean;
  create(desired: DesiredRecord, options?: CreateOptions): void;
  /** `granted`: covered by another consent than `update`. */
  update(before: LiveRecord, after: DnsRecord, why: ChangeReason, granted?: boolean): void;
  remove(before: LiveRecord, why: ChangeReason, granted?: boolean): void;
  keep(role: string, live: readonly LiveRecord[], reason: string): void;
  conflict(conflict: Conflict): void;
  note(level: PlanNote['level'], text: string): void;
  wait(wait: StageWait): void;
  /** Asks the user for a consent, as a conflict with the change as its evidence. */
  ask(consent: ConsentName, role: string, what: string, evidence: readonly string[]): void;
  build(): ZonePlan;
}

export interface CreateOptions {
  /** Other than desired, after a merge. */
  data?: DnsRecord['data'];
  name?: string;
  /** The set that stands there goes away, so its TTL does not bind. */
  newSet?: boolean;
}

export interface ChangeReason {
  role: string;
  stage: Stage;
  reason: string;
}

/** What a user gives to consent. */
export const consentFlags: Readonly<Record<ConsentName, string>> = {
  update: '--allow-update',
  delete: '--allow-delete',
  takeOverMx: '--take-over-mx',
  unproxy: '--allow-unproxy',
};

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

const sizeOf = ({ data }: DnsRecord): number => (data.type === 'TXT' ? textToBytes(data.text).length : 0);

export function createPlanBuilder(input: PlanZoneInput): PlanBuilder {
  const { zone, caps, consents, installId } = input;
  const live = input.live.map(canonicalRecord);
  const byName = groupBy(live, ({ name }) => name);
  const bySet = groupBy(live, rrsetKey);
  const drafts: ChangeDraft[] = [];
  const kept: KeptRecord[] = [];
  const conflicts: Conflict[] = [];
  const notes: PlanNote[] = [];
  const waits: StageWait[] = [];

  const markFor = (role: string): { mark?: string } =>
    caps.marks === 'none' ? {} : { mark: renderMark(installId, role) };
  const isOurs = (record: LiveRecord): boolean => ownRoleOf(record.mark, installId) !== undefined;

  /** R13: a set has one TTL, and the one that stands there is the user's. */
  const ttlFor = (record: DnsRecord, newSet: boolean): number =>
    (newSet ? undefined : bySet.get(rrsetKey(record))?.[0]?.ttl) ??
    Math.min(Math.max(record.ttl, caps.minTtl), caps.maxTtl);

  const typeObjections = ({ data }: DnsRecord): string[] =>
    data.type !== 'OTHER' && !caps.types.has(data.type)
      ? [`The provider has no ${typeOf(data)} records.`]
      : [];

  const objections = (record: DnsRecord): string[] => {
    const size = sizeOf(record);
    const whole = size + (bySet.get(rrsetKey(record)) ?? []).reduce((sum, one) => sum + sizeOf(one), 0);
    return [
      ...typeObjections(record),
      ...(record.data.type === 'MX' && record.data.exchange === '' && !caps.nullMx
        ? ['The provider has no null MX (RFC 7505).']
        : []),
      ...(caps.maxTxt !== undefined && size > caps.maxTxt
        ? [`The value has ${size} bytes; the provider takes ${caps.maxTxt}.`]
        : []),
      ...(size > 0 && caps.maxTxtSet !== undefined && whole > caps.maxTxtSet
        ? [`The TXT values of the name have ${whole} bytes with it; the provider takes ${caps.maxTxtSet}.`]
        : []),
      ...(input.audit?.(record) ?? []),
    ];
  };

  const ask: PlanBuilder['ask'] = (consent, role, what, evidence) => {
    conflicts.push({
      code: `E_DNS_NEEDS_${consent === 'takeOverMx' ? 'TAKE_OVER' : consent.toUpperCase()}`,
      role,
      what,
      evidence,
      fix: [`Allow it with ${consentFlags[consent]}.`],
      consent,
    });
  };

  const blockedByProvider = (before: LiveRecord, role: string): boolean => {
    if (before.readOnly !== true) return false;
    const what = `The DNS provider manages a record of ${before.name} itself; it cannot be changed from here.`;
    if (conflicts.some((conflict) => conflict.what === what)) return true;
    conflicts.push({
      code: 'E_DNS_READ_ONLY',
      role,
      what,
      evidence: [formatRecord(before)],
      fix: [
        'Switch off the provider service that made it (at Cloudflare: Email Routing), then run this again.',
      ],
    });
    return true;
  };

  return {
    input,
    live,
    at: (name) => byName.get(name) ?? [],
    set: (name, type) => bySet.get(`${name} ${type}`) ?? [],
    isOurs,
    ask,
    note: (level, text) => {
      if (!notes.some((note) => note.text === text)) notes.push({ level, text });
    },
    conflict: (conflict) => conflicts.push(conflict),
    wait: (wait) => waits.push(wait),
    keep: (role, records, reason) => kept.push({ role, name: records[0]?.name ?? '', live: records, reason }),

    create(desired, options = {}) {
      const bare = canonicalRecord({
        name: options.name ?? desired.name,
        ttl: desired.ttl,
        data: options.data ?? desired.data,
      });
      const after = { ...bare, ttl: ttlFor(bare, options.newSet === true) };
      // Two domains of one server may ask for the same record.
      if (
        desired.pending === undefined &&
        drafts.some((d) => d.after !== undefined && d.op === 'create' && sameRecord(d.after, after))
      ) {
        return;
      }
      // A value that is not known yet cannot be judged, its type can.
      const reasons = desired.pending === undefined ? objections(after) : typeObjections(after);
      if (reasons.length > 0 && desired.rank !== 'required') {
        notes.push({ level: 'warn', text: `${formatRecord(after)} is left out: ${reasons.join(' ')}` });
        return;
      }
      if (reasons.length > 0) {
        conflicts.push({
          code: 'E_DNS_PROVIDER_REJECTS',
          role: desired.role,
          what: `The DNS provider would reject a record that is needed at ${after.name}.`,
          evidence: [formatRecord(after), ...reasons],
          fix: ['Move the zone to a provider that takes it, or deselect the record in smtp-setup.yaml.'],
        });
        return;
      }
      drafts.push({
        stage: desired.stage,
        op: 'create',
        role: desired.role,
        after,
        ...markFor(desired.role),
        reason: desired.reason,
        ...(desired.pending === undefined ? {} : { pending: desired.pending }),
      });
    },

    update(before, after, why, granted = false) {
      if (blockedByProvider(before, why.role)) return;
      // What carries our mark was made by us: putting it right takes no further consent.
      if (!consents.update && !granted && !isOurs(before)) {
        ask('update', why.role, `A record of ${before.name} must be changed. ${why.reason}`, [
          `- ${formatRecord(before)}`,
          `+ ${formatRecord(after)}`,
        ]);
        return;
      }
      // A user's own comment is never overwritten (R22), and neither is his record claimed as ours.
      const mark = isOurs(before) ? markFor(why.role) : {};
      drafts.push({ ...why, op: 'update', before, after: canonicalRecord(after), ...mark });
    },

    remove(before, why, granted = false) {
      if (blockedByProvider(before, why.role)) return;
      if (!consents.delete && !granted) {
        ask('delete', why.role, `A record of ${before.name} must be removed. ${why.reason}`, [
          `- ${formatRecord(before)}`,
        ]);
        return;
      }
      drafts.push({ ...why, op: 'delete', before });
    },

    build: () => ({
      zone,
      changes: sequenceChanges(live, drafts, stages),
      kept,
      conflicts,
      notes,
      waits,
      ...(caps.manual === true ? { manual: true } : {}),
    }),
  };
}
