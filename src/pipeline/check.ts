import { type CheckReport, compareFindings, summarize } from '../checks/run.js';
import { applySuppressions } from '../checks/selection.js';
import { runServerChecks } from '../checks/server/index.js';
import type { CheckOptions } from '../cli/commands/check.js';
import type { Context } from '../cli/context.js';
import type { Run } from '../cli/outcome.js';
import { Exit, SetupError } from '../errors.js';
import { readVersion } from '../version.js';
import { isPrivate, runCheckDns } from './check-dns.js';
import { checkerName } from './prove.js';
import { publishReport } from './publish-report.js';
import { openSession, type Session } from './session.js';
import { domainsOf } from './survey.js';

/** `check`: what stands between the user and the world, asked from outside. */
export const runCheck: Run<CheckOptions> = (context, options) =>
  options.scope === 'dns' ? runCheckDns(context, options) : runCheckServer(context, options);

/** `check server`: greeting, certificate, logins, relaying and recipients, as a stranger meets them. Needs no SSH. */
const runCheckServer: Run<CheckOptions> = async (context, options) => {
  const session = await openSession(context, { ...options, needsConfig: true });
  const hosts = Object.entries(session.lock.servers);
  if (hosts.length === 0) {
    throw new SetupError({
      code: 'E_CHECK_TARGET',
      exit: Exit.usage,
      what: 'It is not known yet where the server is.',
      evidence: [`The lock file beside ${session.configPath} names no server; apply writes it.`],
      fix: ['Run smtp-setup apply first.'],
    });
  }
  const startedAt = new Date(context.clock()).toISOString();
  const found = await Promise.all(
    hosts.map(([hostname, addresses]) => checkHost(context, session, hostname, Object.values(addresses))),
  );
  const suppressions = session.loaded?.config.suppress ?? [];
  const results = applySuppressions(found.flat(), suppressions, context.clock()).sort(compareFindings);
  const report: CheckReport = {
    schemaVersion: 1,
    tool: { name: 'smtp-setup', version: readVersion() },
    startedAt,
    target: {
      domains: Object.keys(session.loaded?.config.domains ?? {}),
      hosts: hosts.map(([hostname]) => hostname),
    },
    resolver: 'none: the addresses are those of the lock file',
    summary: summarize(results),
    results,
  };
  return publishReport(context, options, report);
};

export async function checkHost(
  context: Context,
  session: Session,
  hostname: string,
  addresses: readonly string[],
) {
  const domains = session.loaded === undefined ? [] : domainsOf(session.loaded.config, hostname);
  const findings = await runServerChecks({
    hostname,
    addresses,
    domains: domains.flatMap(([name, { mail }]) => (mail === 'full' ? [name] : [])),
    privateCa: isPrivate(session),
    ehloName: checkerName,
    timeout: 20_000,
    now: context.clock(),
  });
  return findings.map((finding) => ({ ...finding, group: 'Server' }));
}
