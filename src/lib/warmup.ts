/** A stretch of days with one limit: so many messages a day to each destination, spread over the day. */
export interface WarmupStage {
  /** First day, counted from 1. */
  from: number;
  /** Last day. */
  to: number;
  /** Messages a day to one destination. */
  perDay: number;
}

/**
 * The ramp of a new address or domain: it doubles every few days, as the large receivers ask. After the last day there is
 * no limit of ours any more.
 */
export const warmupStages: readonly WarmupStage[] = [
  { from: 1, to: 2, perDay: 50 },
  { from: 3, to: 4, perDay: 100 },
  { from: 5, to: 7, perDay: 200 },
  { from: 8, to: 10, perDay: 400 },
  { from: 11, to: 14, perDay: 800 },
  { from: 15, to: 19, perDay: 1600 },
  { from: 20, to: 24, perDay: 3200 },
  { from: 25, to: 30, perDay: 6400 },
];

export const warmupDays = warmupStages.at(-1)?.to ?? 0;

/** Seconds between two messages to one destination. */
export function stageDelay({ perDay }: WarmupStage): number {
  return Math.ceil(86_400 / perDay);
}

/** Day of a warm-up, from 1; both in seconds since 1970. */
export function warmupDay(started: number, now: number): number {
  return Math.max(1, Math.floor((now - started) / 86_400) + 1);
}

/** The stage of a day; undefined once the ramp is over. */
export function stageOn(day: number): WarmupStage | undefined {
  return warmupStages.find(({ from, to }) => day >= from && day <= to);
}
