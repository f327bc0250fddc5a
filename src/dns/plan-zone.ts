import type { PlanZoneInput, ZonePlan } from './zone-plan.js';

export type {
  Conflict,
  Consents,
  KeptRecord,
  PlanNote,
  PlannedChange,
  PlanZoneInput,
  SpfEvaluation,
  StageWait,
  ZoneEvidence,
  ZonePlan,
} from './zone-plan.js';

/** The merge of what should be with what stands there: pure, additive, record by record. */
export function planZone(input: PlanZoneInput): ZonePlan {
  return { zone: input.zone, changes: [], kept: [], conflicts: [], notes: [], waits: [] };
}
