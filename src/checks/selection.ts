import { Exit, type ExitCode, SetupError } from '../errors.js';
import type { Finding } from './check.js';

/** A finding that the user knows and accepts, from the config. */
export interface Suppression {
  /** Check id. */
  id: string;
  /** Only findings about this name or subject; left out, all of the check. */
  name?: string;
  reason: string;
  /** Last day, `YYYY-MM-DD`. */
  until?: string;
}

export interface Selection {
  /** Check ids or groups; left out, all. */
  only?: readonly string[];
  skip?: readonly string[];
}

interface Selectable {
  id: string;
  group?: string;
}

/** `spf` names the group as well as every id that begins with `SPF-`. */
function matches(check: Selectable, word: string): boolean {
  const wanted = word.trim().toUpperCase();
  const id = check.id.toUpperCase();
  return id === wanted || check.group?.toUpperCase() === wanted || id.startsWith(`${wanted}-`);
}

/** Checks to run. Throws SetupError (exit 2) for a word that names none, and when none is left: nothing checked must not look like a pass. */
export function selectChecks<T extends Selectable>(checks: readonly T[], selection: Selection): T[] {
  const { only, skip = [] } = selection;
  for (const word of [...(only ?? []), ...skip])
    if (!checks.some((check) => matches(check, word)))
      throw new SetupError({
        code: 'E_CHECK_UNKNOWN',
        exit: Exit.usage,
        what: `There is no check or group "${word.slice(0, 40)}".`,
        fix: [`Groups: ${[...new Set(checks.map((check) => check.group ?? check.id))].join(', ')}`],
      });
  const selected = checks.filter(
    (check) =>
      (only === undefined || only.some((word) => matches(check, word))) &&
      !skip.some((word) => matches(check, word)),
  );
  if (selected.length === 0)
    throw new SetupError({
      code: 'E_CHECK_UNKNOWN',
      exit: Exit.usage,
      what: 'Of all checks none is left.',
      evidence: [`only: ${(only ?? ['all']).join(', ')}; skipped: ${skip.join(', ') || 'none'}`],
      fix: ['Skip less.'],
    });
  return selected;
}

/** Marks suppressed findings, and reports suppressions that have run out or that suppress nothing. `now` in milliseconds. */
export function applySuppressions(
  findings: readonly Finding[],
  suppressions: readonly Suppression[],
  now: number,
): Finding[] {
  const day = new Date(now).toISOString().slice(0, 10);
  const used = new Set<Suppression>();
  const marked = findings.map((finding) => {
    const found = suppressions.find((one) => covers(one, finding) && finding.status !== 'pass');
    if (!found) return finding;
    used.add(found);
    if (isOver(found, day)) return finding;
    const { reason, until } = found;
    return { ...finding, suppressed: { reason, ...(until !== undefined && { until }) } };
  });
  const expired = suppressions.filter((one) => used.has(one) && isOver(one, day));
  return [...marked, ...expired.map(expiredFinding)];
}

function covers(suppression: Suppression, finding: Finding): boolean {
  if (suppression.id.toUpperCase() !== finding.id.toUpperCase()) return false;
  const { name } = suppression;
  return name === undefined || name === finding.name || finding.subject.includes(name);
}

function isOver({ until }: Suppression, day: string): boolean {
  return until !== undefined && until < day;
}

function expiredFinding({ id, until, reason }: Suppression): Finding {
  return {
    id: 'SUPPRESSION',
    group: 'Plan',
    severity: 'warn',
    status: 'warn',
    title: 'Suppressions have not run out',
    subject: id,
    message: `The suppression of ${id} ended on ${until}.`,
    observed: reason,
    fix: { text: `Repair what ${id} says, or set a new date in smtp-setup.yaml.` },
  };
}

export type FailOn = 'fail' | 'warn' | 'info';

export interface ExitRules {
  /** The mildest status that makes the run fail. Default `fail`. */
  failOn?: FailOn;
  /** What unknown results count as. Default: exit 3 when nothing failed. */
  unknown?: 'fail' | 'ok';
}

/** 0 nothing to complain about, 1 a check failed, 3 inconclusive. Suppressed findings count for nothing. */
export function exitCodeOf(findings: readonly Finding[], rules: ExitRules = {}): ExitCode {
  const counted = findings.filter((finding) => finding.suppressed === undefined);
  const has = (status: Finding['status']) => counted.some((finding) => finding.status === status);
  const failOn = rules.failOn ?? 'fail';
  if (has('fail') || (failOn !== 'fail' && has('warn')) || (failOn === 'info' && has('info')))
    return Exit.failed;
  if (!has('unknown') || rules.unknown === 'ok') return Exit.ok;
  return rules.unknown === 'fail' ? Exit.failed : Exit.inconclusive;
}
