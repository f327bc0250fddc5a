import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Finding } from '../checks/check.js';
import { serverChecks } from '../checks/server/index.js';
import { compareStatus, parseSnapshot, type Snapshot, takeSnapshot } from '../checks/status/compare.js';
import { judgeServer } from '../checks/status/judge-server.js';
import type { StatusOptions } from '../cli/commands/status.js';
import type { Context } from '../cli/context.js';
import type { Run } from '../cli/outcome.js';
import { writeFileAtomically } from '../config/atomic-write.js';
import { readText } from '../config/read-text.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import { sendingLimits } from '../facts/sending-limits.js';
import { updates } from '../facts/updates.js';
import type { QueuedMessage } from '../logs/parse-queue.js';

import type { Connection } from '../ssh/connection.js';
import { renderStatus, statusDocument } from '../ui/report/status.js';
import { reportDns } from './check-dns.js';
import { checkHost } from './check-server.js';
import { connectServer } from './connect-server.js';
import { openComponents } from './make-plan.js';
import { readQueue } from './queue.js';
import { openSession, type Session } from './session.js';
import { surveyServer } from './survey.js';

/**
 * `status`: the server from inside and outside, and its DNS, compared with the last look. Exit 1 when something fails.
 * Changes nothing on the server or in DNS; what it saw is kept on this machine.
 */
export const runStatus: Run<StatusOptions> = async (context, options) => {
  const session = await openSession(context, options);
  const { io } = context;
  const { connection } = await connectServer(session, session.answers);
  const hostname = session.answers.hostname?.value ?? connection.target.host;
  const [inside, outside, dns] = await Promise.all([
    lookInside(session, connection),
    lookOutside(session, connection, hostname),
    lookAtDns(session, options),
  ]);
  const findings = [...inside, ...outside, ...dns];
  const place = join(context.stateDir, 'status', `${hostname.replace(/[^a-zA-Z0-9.-]/g, '_')}.json`);
  const last = await readLast(context, place);
  const view = { hostname, findings, comparison: compareStatus(findings, last), lastTime: last?.time };
  const shown = renderStatus(io, view, options.changedOnly);
  if (shown !== '') io.print(shown);
  await keep(context, place, findings);
  const failed = findings.some(({ status }) => status === 'fail');
  return { exit: failed ? Exit.failed : Exit.ok, document: statusDocument(view) };
};

/** What cannot be read or kept costs the comparison, not the look. */
async function readLast({ io }: Context, place: string): Promise<Snapshot | undefined> {
  try {
    const text = await readText(place, 1024 * 1024);
    return text === undefined ? undefined : parseSnapshot(text);
  } catch (error) {
    io.say(`There is nothing to compare with: ${messageOf(error)}`);
    return undefined;
  }
}

async function keep({ io, clock }: Context, place: string, findings: readonly Finding[]): Promise<void> {
  try {
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    await writeFileAtomically(place, `${JSON.stringify(takeSnapshot(findings, clock()))}\n`, 0o600);
  } catch (error) {
    io.say(`What was seen could not be kept for the next time: ${messageOf(error)}`);
  }
}

async function lookInside(session: Session, connection: Connection): Promise<Finding[]> {
  const { signal, clock } = session.context;
  const components = await openComponents(session);
  const [facts, queue, pending, limited] = await Promise.all([
    surveyServer(connection, components, signal, []),
    readQueue(connection).catch(emptyWithoutPostfix),
    connection.exec(updates.script, { root: true, maxOutput: 4 * 1024 * 1024, signal }),
    connection.exec(sendingLimits.script, { root: true, maxOutput: 1024 * 1024, signal }),
  ]);
  if (facts.state.manifest === 'absent') {
    throw new SetupError({
      code: 'E_NOT_INSTALLED',
      exit: Exit.unsuitable,
      what: `${connection.target.host} was not set up by smtp-setup.`,
      fix: ['Set it up: smtp-setup init'],
    });
  }
  return judgeServer({
    facts,
    queue,
    updates: updates.parse({ code: pending.code ?? 1, stdout: pending.stdout }),
    limited: sendingLimits.parse({ code: limited.code ?? 1, stdout: limited.stdout }),
    now: clock() / 1000,
  });
}

/** An installation that was stopped before Postfix came is looked at, too. */
function emptyWithoutPostfix(error: unknown): QueuedMessage[] {
  if (error instanceof SetupError && error.code === 'E_NO_POSTFIX') return [];
  throw error;
}

/** What makes a mailbox of its own to look is no status. */
const withoutLogin = new Set(
  serverChecks.filter(({ needs }) => !needs.includes('login')).map(({ id }) => id),
);

async function lookOutside(session: Session, connection: Connection, hostname: string): Promise<Finding[]> {
  const known = Object.values(session.lock.servers[hostname] ?? {});
  const addresses = known.length > 0 ? known : [connection.remoteAddress];
  return checkHost(session, { hostname, addresses, connection }, withoutLogin);
}

/** Without configuration and lock file there is nothing to compare DNS with. */
async function lookAtDns(session: Session, { flags }: StatusOptions): Promise<Finding[]> {
  if (session.loaded === undefined) return [];
  try {
    const { results } = await reportDns(session, { flags, selectors: [] });
    return results.filter(({ suppressed }) => suppressed === undefined);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return [
      {
        id: 'DNS',
        group: 'DNS',
        title: 'DNS can be checked',
        subject: Object.keys(session.loaded.config.domains).join(', '),
        status: 'unknown',
        message: messageOf(error),
      },
    ];
  }
}
