import type { Finding } from '../checks/check.js';
import { deliveryChecks } from '../checks/delivery/index.js';
import { recordsCheck } from '../checks/dns/records.js';
import { dnsChecks } from '../checks/index.js';
import { type CheckReport, compareFindings, summarize } from '../checks/run.js';
import { applySuppressions, selectChecks } from '../checks/selection.js';
import { serverChecks } from '../checks/server/index.js';
import type { CheckOptions } from '../cli/commands/check.js';
import type { Run } from '../cli/outcome.js';
import { Exit, SetupError } from '../errors.js';
import { readVersion } from '../version.js';
import { checkDelivery } from './check-delivery.js';
import { reportDns, runCheckDns } from './check-dns.js';
import { checkHost, hostsOf, linkHost } from './check-server.js';
import { refuseSeveral } from './choose-servers.js';
import { publishReport } from './publish-report.js';
import { openSession, type Session } from './session.js';

type Part = 'dns' | 'server' | 'delivery';

/** `check`: what stands between the user and the world, asked from outside. Without a word: all of it, one verdict. */
export const runCheck: Run<CheckOptions> = async (context, options) => {
  if (options.scope === 'dns') return runCheckDns(context, options);
  const session = await openSession(context, { ...options, needsConfig: true });
  if (options.scope === 'delivery' && options.to === undefined) refuseOneWay(session);
  const parts: Part[] = options.scope === 'all' ? ['dns', 'server', 'delivery'] : [options.scope];
  return publishReport(context, options, await reportParts(session, options, parts));
};

/** Where nothing comes in, only a mail that leaves can be followed. Throws E_CHECK_TO (exit 2). */
function refuseOneWay({ loaded }: Session): void {
  const domains = Object.entries(loaded?.config.domains ?? {});
  if (domains.length === 0 || domains.some(([, { mail }]) => mail !== 'send-only')) return;
  throw new SetupError({
    code: 'E_CHECK_TO',
    exit: Exit.usage,
    what: 'No mail comes to this server, so nothing could come back.',
    evidence: domains.map(([name]) => `${name}: mail: send-only`),
    fix: ['Say where a mail shall be sent, which is followed on its way out: --to ADDRESS'],
  });
}

const slots: Readonly<Record<Part, readonly { id: string; group: string }[]>> = {
  dns: [...dnsChecks, recordsCheck],
  server: serverChecks.map(({ id }) => ({ id, group: 'Server' })),
  delivery: deliveryChecks.map(({ id }) => ({ id, group: 'Delivery' })),
};

async function reportParts(
  session: Session,
  options: CheckOptions,
  parts: readonly Part[],
): Promise<CheckReport> {
  const { context, loaded, answers } = session;
  const startedAt = new Date(context.clock()).toISOString();
  const chosen = new Set(
    selectChecks(
      parts.flatMap((part) => slots[part]),
      options,
    ).map(({ id }) => id),
  );
  const wanted = (part: Part) => parts.includes(part) && slots[part].some(({ id }) => chosen.has(id));
  const hosts = hostsOf(session);
  if (!options.asStranger && (wanted('server') || wanted('delivery')))
    refuseSeveral(
      session,
      hosts.map(({ hostname }) => hostname),
      'Leave it out',
    );
  const results: Finding[] = [];
  if (wanted('dns')) {
    const only = slots.dns.flatMap(({ id }) => (chosen.has(id) ? [id] : []));
    const { results: found } = await reportDns(session, { ...options, only, skip: [] });
    results.push(...found.filter(({ id }) => chosen.has(id) || id === 'SUPPRESSION'));
  }
  if (wanted('server') || wanted('delivery')) {
    for (const known of hosts) {
      const { host, findings } = options.asStranger
        ? { host: known, findings: [] }
        : await linkHost(session, known);
      results.push(...findings);
      if (wanted('server')) results.push(...(await checkHost(session, host, chosen)));
      if (wanted('delivery')) {
        const found = await checkDelivery(session, host, {
          ...(options.to === undefined ? {} : { to: options.to }),
          ...(options.wait === undefined ? {} : { wait: options.wait }),
        });
        results.push(...found.filter(({ id }) => chosen.has(id)));
      }
      await host.connection?.close();
    }
  }
  const marked = applySuppressions(
    results.filter(({ id }) => id !== 'SUPPRESSION'),
    loaded?.config.suppress ?? [],
    context.clock(),
  ).sort(compareFindings);
  return {
    schemaVersion: 1,
    tool: { name: 'smtp-setup', version: readVersion() },
    startedAt,
    target: {
      domains: Object.keys(loaded?.config.domains ?? {}),
      hosts: hosts.map(({ hostname }) => hostname),
    },
    resolver: answers.resolver?.value ?? "this machine's own resolver",
    summary: summarize(marked),
    results: marked,
  };
}
