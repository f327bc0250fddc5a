import { cacheResolver } from '../dns/resolver/recursive.js';
import { messageOf } from '../errors.js';
import type { Check, Finding, Status, Verdict } from './check.js';
import {
  createDnsContext,
  type DnsCheck,
  type DnsCheckDeps,
  type DnsContext,
  type DnsNeed,
  type DnsTarget,
} from './dns/context.js';
import { compareRecords, recordsCheck } from './dns/records.js';
import { dnsChecks } from './index.js';
import { type ProfileId, profiles, weighByProfile } from './profiles.js';
import { applySuppressions, type Selection, type Suppression, selectChecks } from './selection.js';

export interface DnsCheckInput extends Selection {
  targets: readonly DnsTarget[];
  profile?: ProfileId;
  suppressions?: readonly Suppression[];
  /** For the report: whom the recursive questions went to. */
  resolver: string;
  /** For the report. */
  toolVersion?: string;
  /** Aborts the run. */
  signal?: AbortSignal;
}

/** The machine-readable report; `schemas/check-report.schema.json` describes it. Fields are only ever added. */
export interface CheckReport {
  schemaVersion: 1;
  tool: { name: 'smtp-setup'; version?: string };
  /** ISO 8601. */
  startedAt: string;
  target: { domains: readonly string[]; hosts: readonly string[] };
  resolver: string;
  profile?: { id: ProfileId; title: string; beyond: readonly string[] };
  /** Suppressed findings are counted only as such. */
  summary: Record<Status | 'suppressed', number>;
  /** By id, then subject. */
  results: readonly Finding[];
}

type RecordsSlot = Omit<DnsCheck, 'run'>;

/** Runs all chosen checks for all domains at once; what they ask is asked once. Rejects only when the signal aborts. */
export async function runDnsChecks(input: DnsCheckInput, deps: DnsCheckDeps): Promise<CheckReport> {
  const startedAt = new Date(deps.now()).toISOString();
  const profile = input.profile === undefined ? undefined : profiles[input.profile];
  const slots: readonly RecordsSlot[] = [...dnsChecks, recordsCheck];
  const chosen = selectChecks(slots, {
    ...(input.only !== undefined ? { only: input.only } : profile ? { only: profile.only } : {}),
    ...(input.skip !== undefined && { skip: input.skip }),
  });
  const ids = new Set(chosen.map((check) => check.id));
  const recursive = cacheResolver(deps.recursive, input.signal);
  const perTarget = await Promise.all(
    input.targets.map((target) => runTarget(createDnsContext(target, deps, recursive), ids, input.signal)),
  );
  const weighed = perTarget.flat().map((finding) => weighByProfile(finding, profile));
  const results = applySuppressions(weighed, input.suppressions ?? [], deps.now()).sort(compareFindings);
  return {
    schemaVersion: 1,
    tool: { name: 'smtp-setup', ...(input.toolVersion !== undefined && { version: input.toolVersion }) },
    startedAt,
    target: {
      domains: input.targets.map((target) => target.domain),
      hosts: [...new Set(input.targets.flatMap((target) => target.host ?? []))],
    },
    resolver: input.resolver,
    ...(profile && { profile: { id: profile.id, title: profile.title, beyond: profile.beyond } }),
    summary: summarize(results),
    results,
  };
}

async function runTarget(
  ctx: DnsContext,
  ids: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<Finding[]> {
  const comparing = ids.has(recordsCheck.id) && ctx.target.expected.length > 0;
  // The comparison stays silent about what another check names, so it needs the verdicts of all of them.
  const needed = dnsChecks.filter((check) => (comparing || ids.has(check.id)) && isMet(check.needs, ctx));
  if (needed.length > 0) await askFirst(ctx, ids);
  const findings = (
    await Promise.all(needed.map((check) => runCheck(check, () => check.run(ctx), signal)))
  ).flat();
  const kept = findings.filter((finding) => ids.has(finding.id));
  if (!comparing) return kept;
  const compared = await runCheck(recordsCheck, () => compareRecords({ ctx, findings }), signal);
  return [...kept, ...compared];
}

/**
 * Almost every question waits for the zone's servers: these leave before the checks, whose beginning takes its time, too.
 * Whoever needs the answers asks again and gets the remembered ones.
 */
async function askFirst({ target, deps }: DnsContext, ids: ReadonlySet<string>): Promise<void> {
  const parent = target.domain.slice(target.domain.indexOf('.') + 1);
  const names = [target.domain, target.host, ids.has('NS-DELEG') ? parent : undefined];
  void Promise.allSettled(
    names.flatMap((name) => (name === undefined ? [] : [deps.authoritative.findZone(name)])),
  );
  await new Promise((resolve) => setImmediate(resolve));
}

function isMet(needs: readonly DnsNeed[], { target, deps }: DnsContext): boolean {
  const met: Record<DnsNeed, boolean> = {
    expected: target.expected.length > 0,
    host: target.host !== undefined,
    fetch: deps.fetch !== undefined,
    smtp: deps.probe !== undefined,
  };
  return needs.every((need) => met[need]);
}

/** Odd data in somebody's zone must not end the whole run: a check that breaks is itself a result. */
async function runCheck(
  check: Omit<Check<never, DnsNeed>, 'run'>,
  run: () => Promise<readonly Verdict[]>,
  signal: AbortSignal | undefined,
): Promise<Finding[]> {
  const { id, group, severity, title, ref } = check;
  const common = { id, group, severity, title, ref };
  try {
    return (await run()).map((verdict) => ({ ...common, ...verdict }));
  } catch (error) {
    if (signal?.aborted) throw error;
    const message = `The check itself failed; please report this: ${messageOf(error)}`;
    return [{ ...common, status: 'unknown', subject: id, message }];
  }
}

export function compareFindings(a: Finding, b: Finding): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0;
}

export function summarize(findings: readonly Finding[]): CheckReport['summary'] {
  const summary = { pass: 0, warn: 0, fail: 0, info: 0, unknown: 0, suppressed: 0 };
  for (const finding of findings) summary[finding.suppressed ? 'suppressed' : finding.status] += 1;
  return summary;
}
