import { createLanePool } from '../apply/lane-pool.js';
import type { Context } from '../cli/context.js';
import { messageOf, SetupError } from '../errors.js';
import { sideBySide } from '../lib/side-by-side.js';
import { createTurns } from '../lib/turns.js';
import type { Progress } from '../ui/events.js';
import { type ErrorReport, reportError } from '../ui/report/error.js';
import { openServerSession, type ServersOptions } from './choose-servers.js';
import { openResolvers, type Resolvers } from './open-resolvers.js';
import { openSession, type Session, type Shared } from './session.js';
import { createZoneCache, type ZoneCache } from './survey.js';

export interface FleetOptions extends ServersOptions {
  /** `--parallel`: servers at work at a time. */
  parallel: number;
}

/** Several servers under the hands of one command. */
export interface Fleet {
  members: readonly Session[];
  /** What is opened once for all of them. */
  around: { resolvers: Resolvers; zones: ZoneCache };
  /** Marks a server as being worked on until the returned function is called. */
  begin(hostname: string): () => void;
  /** Where the members' progress goes from now on. */
  showProgress(progress: Progress | undefined): void;
}

/** Opens a session for each server; their words carry the server's name. */
export async function openFleet(
  context: Context,
  options: FleetOptions,
  hostnames: readonly string[],
): Promise<Fleet> {
  const base = await openSession(context, { ...options, needsConfig: true });
  const names = [...hostnames, ...Object.keys(base.loaded?.config.domains ?? {})];
  const resolvers = await openResolvers(base, names);
  const atWork = new Map<string, Promise<void>>();
  const shared: Shared = {
    lanes: createLanePool(),
    inTurn: createTurns(),
    whenEnded: async (hostname) => atWork.get(hostname),
  };
  let shown: Progress | undefined;
  // Backups first: others may wait for them, and they for nobody.
  const waitedFor = (host: string): boolean => base.loaded?.config.servers[host]?.profile === 'backup-mx';
  const inOrder = [...hostnames].sort((a, b) => Number(waitedFor(b)) - Number(waitedFor(a)));
  const members = await Promise.all(
    inOrder.map(async (hostname) => {
      const own = labelled(context, hostname, () => shown);
      return { ...(await openServerSession(own, options, hostname)), asker: base.asker, shared };
    }),
  );
  return {
    members,
    around: { resolvers, zones: createZoneCache() },
    begin: (hostname) => {
      let end: () => void = () => undefined;
      atWork.set(
        hostname,
        new Promise<void>((resolve) => {
          end = resolve;
        }),
      );
      return end;
    },
    showProgress: (progress) => {
      shown = progress;
    },
  };
}

/** How it went with one server. */
export type MemberResult<T> =
  | { hostname: string; ok: true; value: T }
  | { hostname: string; ok: false; error: unknown };

/** The same work for every member; one that fails stops no other. A Ctrl-C stops all (E_CANCELLED). */
export async function forEachMember<T>(
  members: readonly Session[],
  parallel: number,
  work: (member: Session) => Promise<T>,
): Promise<MemberResult<T>[]> {
  return sideBySide(members, parallel, async (member): Promise<MemberResult<T>> => {
    const hostname = member.answers.hostname?.value ?? '';
    member.context.signal.throwIfAborted();
    try {
      return { hostname, ok: true, value: await work(member) };
    } catch (error) {
      if (member.context.signal.aborted) throw error;
      return { hostname, ok: false, error };
    }
  });
}

export type ErrorText = ErrorReport['document']['error'];

/** Says what went wrong with which server; the documents for `--json`. */
export function reportFailures(
  context: Context,
  results: readonly MemberResult<unknown>[],
): Map<string, ErrorText> {
  const errors = new Map<string, ErrorText>();
  for (const result of results) {
    if (result.ok) continue;
    const { hostname, error } = result;
    const report = reportError(context.io, withName(error, hostname), context.redactor.redact);
    errors.set(hostname, report.document.error);
  }
  return errors;
}

function withName(error: unknown, hostname: string): unknown {
  if (!(error instanceof SetupError)) return new Error(`${hostname}: ${messageOf(error)}`, { cause: error });
  const { code, exit, message, evidence, fix } = error;
  return new SetupError({ code, exit, what: `${hostname}: ${message}`, evidence, fix, cause: error });
}

/** The same context, but every line says which server it is about. */
function labelled(context: Context, hostname: string, shown: () => Progress | undefined): Context {
  const label = (text: string): string =>
    text
      .split('\n')
      .map((line) => (line.trim() === '' ? line : `${hostname}: ${line}`))
      .join('\n');
  return {
    ...context,
    io: {
      ...context.io,
      print: (text) => context.io.print(label(text)),
      say: (text) => context.io.say(label(text)),
    },
    createProgress: async () => labelProgress(hostname, shown),
  };
}

function labelProgress(hostname: string, shown: () => Progress | undefined): Progress {
  return {
    emit(event) {
      const named = { ...event };
      if ('id' in named) named.id = `${hostname} ${named.id}`;
      if ('title' in named) named.title = `${hostname}: ${named.title}`;
      if ('text' in named && named.kind === 'notice') named.text = `${hostname}: ${named.text}`;
      shown()?.emit(named);
    },
    // The live lines belong to all of them.
    stop: () => undefined,
  };
}
