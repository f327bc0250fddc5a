import { Exit, SetupError } from '../../errors.js';
import type { Finding } from '../check.js';
import { checkNetwork } from './network.js';
import { checkPackages } from './packages.js';
import { checkPorts } from './ports.js';
import type { PreflightContext, PreflightFacts } from './rule.js';
import { checkSystem } from './system.js';

export type { PreflightContext, PreflightFacts } from './rule.js';

/**
 * What the server's facts say about its fitness, before anything is changed. Pure. `fail` means unsuitable (see
 * {@link refuseUnsuitable}); what could not be found out is `unknown` and stops nothing.
 */
export function checkPreflight(facts: PreflightFacts, context: PreflightContext): Finding[] {
  return [checkSystem, checkPackages, checkPorts, checkNetwork].flatMap((check) => check(facts, context));
}

/** Ends everything (exit 5) when a finding says that this server cannot become a mail server as it is. */
export function refuseUnsuitable(findings: readonly Finding[]): void {
  const failed = findings.filter(({ status }) => status === 'fail');
  if (failed.length === 0) return;
  throw new SetupError({
    code: 'E_UNSUITABLE',
    exit: Exit.unsuitable,
    what:
      failed.length === 1
        ? `This server is not ready: ${failed[0]?.message}`
        : `This server is not ready, for ${failed.length} reasons.`,
    evidence: failed.map(({ id, subject, message, observed }) =>
      [`${id}: ${subject}: ${message}`, ...(observed === undefined ? [] : [`(${observed})`])].join(' '),
    ),
    fix: [...new Set(failed.flatMap(({ fix }) => (fix ? [fix.text] : [])))],
  });
}
