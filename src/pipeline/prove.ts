import { libraryScript } from '../apply/library-script.js';
import type { Finding } from '../checks/check.js';
import { createPinnedFetch } from '../checks/fetch-pinned.js';
import { backupGate, gateChecks, runServerChecks } from '../checks/server/index.js';
import { intendedPorts } from '../checks/server/intended-ports.js';
import type { ServerTarget } from '../checks/server/server-check.js';
import { policyServed } from '../checks/server/web.js';
import type { Context } from '../cli/context.js';
import type { AuthoritativeResolver } from '../dns/resolver/index.js';
import { isUnknown } from '../dns/resolver/index.js';
import { Exit, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { shellQuote } from '../lib/shell-quote.js';
import { checkerName } from '../mail/checker-name.js';
import { verifyDkim } from '../mail/dkim-verify.js';
import { introduce } from '../mail/introduce.js';
import type { Connection } from '../ssh/connection.js';
import type { FullPlan } from './make-plan.js';

/**
 * Has the server sign a small message of each domain and verifies the signature against the keys that the zone's own
 * servers show: the proof that DMARC waits for. The message is never sent. Throws E_SIGNING (exit 1).
 */
export async function proveSigning(
  connection: Connection,
  library: ReadonlyMap<string, string>,
  domains: readonly string[],
  authoritative: AuthoritativeResolver,
): Promise<void> {
  for (const domain of domains) {
    const signature = await readSample(connection, library, domain);
    const results = await verifyDkim(sampleMessage(domain, signature), async (name) => {
      const answer = await authoritative.resolve(name, 'TXT');
      if (isUnknown(answer.status)) throw new Error(answer.detail ?? answer.status);
      const texts = answer.records.flatMap(({ data }) => (data.type === 'TXT' ? [data.text] : []));
      return texts[0];
    });
    if (results.some((result) => result.result === 'pass' && result.domain === domain)) continue;
    throw new SetupError({
      code: 'E_SIGNING',
      exit: Exit.failed,
      what: `Mail of ${domain} is not signed so that receivers can verify it; DMARC and MX were not published.`,
      evidence: results.map(
        ({ result, detail, selector }) => `${result}: ${detail} (selector ${selector ?? 'none'})`,
      ),
      fix: ['Run smtp-setup apply again; if it stays so, look at journalctl -u rspamd on the server.'],
    });
  }
}

async function readSample(
  connection: Connection,
  library: ReadonlyMap<string, string>,
  domain: string,
): Promise<string> {
  const script = libraryScript(library, [`rspamd_sign_sample ${shellQuote(domain)}`]);
  const { stdout } = await connection.exec('sh -s', { root: true, stdin: script, maxOutput: 64 * 1024 });
  const line = stdout.split('\n').find((text) => text.startsWith('v=1;'));
  if (line !== undefined) return line;
  throw new SetupError({
    code: 'E_SIGNING',
    exit: Exit.failed,
    what: `Rspamd does not sign mail of ${domain}; DMARC and MX were not published.`,
    evidence: [sanitizeLine(stdout.trim(), 300) || 'no answer'],
    fix: ['Run smtp-setup apply again; if it stays so, look at journalctl -u rspamd on the server.'],
  });
}

/** The message of `rspamd_sign_sample` (templates/run/rspamd.sh), as a receiver would see it. */
function sampleMessage(domain: string, signature: string): string {
  return [
    `DKIM-Signature: ${signature}`,
    `From: <postmaster@${domain}>`,
    `To: <postmaster@${domain}>`,
    'Subject: probe',
    'Date: Thu, 01 Jan 1970 00:00:00 +0000',
    'Message-ID: <probe@probe.invalid>',
    '',
    'This message is never sent.',
    '',
  ].join('\r\n');
}

/** Lets the server look at this machine before {@link proveServer} comes, so that it need not wait for that. */
export async function introduceTo(context: Context, plan: FullPlan, signal: AbortSignal): Promise<void> {
  const { addresses, ports } = targetOf(context, plan);
  if (ports.some(({ port }) => port === 25)) await introduce(addresses, signal);
}

/** The server's checks by direct connection to its addresses, as a stranger. */
export function proveServer(context: Context, plan: FullPlan): Promise<Finding[]> {
  return runServerChecks(targetOf(context, plan), gateChecks);
}

/** Looks for each domain's MTA-STS policy at the server's addresses; by domain, why its record has to wait. */
export async function provePolicies(
  context: Context,
  plan: FullPlan,
  domains: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const target = targetOf(context, plan);
  const fetch = createPinnedFetch({ signal: context.signal, privateCa: target.privateCa });
  const found = await Promise.all(
    domains.map(async (domain): Promise<[string, string][]> => {
      const findings = await runServerChecks({ ...target, fetch }, [policyServed(domain)]);
      const wrong = findings.find(({ status }) => status !== 'pass');
      if (wrong === undefined) return [];
      const seen = [wrong.message, wrong.observed].filter(Boolean).join(' ');
      return [[domain, `The MTA-STS record of ${domain} waits: ${wrong.subject}: ${seen}`]];
    }),
  );
  return new Map(found.flat());
}

function targetOf(context: Context, plan: FullPlan): ServerTarget {
  const { ipv4, ipv6 } = plan.addresses;
  return {
    hostname: plan.hostname,
    addresses: [ipv4, ipv6].filter((address) => address !== undefined),
    domains: [
      ...plan.intent.input.domains.flatMap(({ name, mail }) => (mail === 'full' ? [name] : [])),
      ...(plan.models.model.backup?.domains ?? []).map(({ name }) => name),
    ],
    catchAll: plan.catchAlls,
    ports: intendedPorts(plan.models.model.profile),
    privateCa: plan.models.model.acmeDirectory !== undefined,
    ehloName: checkerName,
    timeout: 20_000,
    now: context.clock(),
  };
}

/** A backup as strangers see it: the second MX waits for it. Undefined when nothing speaks against it. */
export async function proveBackup(
  context: Context,
  plan: FullPlan,
  hostname: string,
): Promise<string | undefined> {
  const addresses = plan.backups.find((backup) => backup.hostname === hostname)?.addresses ?? [];
  const backed = plan.intent.input.domains.filter(({ backup }) => backup === hostname);
  const target: ServerTarget = {
    hostname,
    addresses,
    domains: backed.map(({ name }) => name),
    catchAll: plan.catchAlls,
    ports: intendedPorts('backup-mx'),
    privateCa: plan.models.model.acmeDirectory !== undefined,
    ehloName: checkerName,
    timeout: 20_000,
    now: context.clock(),
  };
  const findings = await runServerChecks(target, backupGate);
  const reasons = findings.filter(({ status }) => status !== 'pass' && status !== 'info');
  if (addresses.length > 0 && reasons.length === 0) return undefined;
  const why = reasons.map(({ subject, message }) => `${subject}: ${message}`).join(' ');
  return `The backup ${hostname} gets no MX yet: ${why || 'its address is not known.'}`;
}

/** Why the MX has to wait, or what keeps applications from sending; what could not be reached from here says nothing about the server. */
export function obstacleOf(findings: readonly Finding[], sendsOnly = false): string | undefined {
  const failed = findings.filter(({ status }) => status === 'fail');
  if (failed.length === 0) return undefined;
  const what = sendsOnly ? 'Applications cannot send as they should' : 'The MX waits, because';
  return `${what}: ${failed.map(({ subject, message }) => `${subject}: ${message}`).join(' ')}`;
}
