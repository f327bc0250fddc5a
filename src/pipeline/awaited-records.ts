import type { DnsRecord, Stage } from '../dns/record.js';
import type { PlannedChange, ZonePlan } from '../dns/zone-plan.js';

/** A web name that cannot be seen must not keep the mail server from its certificate. */
const webRoles: readonly string[] = ['mta-sts-host', 'autoconfig', 'autodiscover'];

const rolesOf: Readonly<Partial<Record<Stage, readonly string[]>>> = {
  host: ['a', 'aaaa', 'caa'],
  auth: ['spf', 'host-spf', 'dkim'],
};

/** What must be seen at every authoritative server before the sync point of a stage is passed: what comes, and what stands. Pure. */
export function awaitedRecords(
  stage: Stage,
  changes: readonly PlannedChange[],
  plans: readonly ZonePlan[],
): DnsRecord[] {
  const roles = rolesOf[stage] ?? [];
  const coming = changes.filter(
    (change) => change.stage === stage && change.pending === undefined && !webRoles.includes(change.role),
  );
  const standing = plans.flatMap((plan) => plan.kept.filter(({ role }) => roles.includes(role)));
  return [
    ...coming.flatMap(({ after }) => (after === undefined ? [] : [after])),
    ...standing.flatMap(({ live }) => live),
  ];
}
