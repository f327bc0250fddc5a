import { Exit, SetupError } from '../errors.js';
import { parseRunMeta, type RunningRun } from '../facts/server-state.js';
import { sanitizeLine } from '../lib/sanitize.js';
import type { Connection } from '../ssh/connection.js';

/** How this client calls itself to others, and what it needs to recognise a run that it started itself. */
export interface Client {
  user: string;
  machine: string;
  pid: number;
}

export function describeClient({ user, machine, pid }: Client): string {
  return `${user}@${machine} pid ${pid}`;
}

/**
 * Whether a run that goes on is ours to re-attach to: it was started from this machine by this user, by a process that
 * no longer lives (it was killed, or the laptop lost power). Anybody else's run is `busy`.
 */
export function judgeHolder(
  running: Pick<RunningRun, 'who'>,
  me: Client,
  isAlive: (pid: number) => boolean,
): 'ours' | 'busy' {
  const match = /^(.+)@([^@]+) pid (\d{1,10})$/.exec(running.who);
  if (match?.[1] !== me.user || match[2] !== me.machine) return 'busy';
  const pid = Number(match[3]);
  return pid === me.pid || !isAlive(pid) ? 'ours' : 'busy';
}

/** Who holds the run `id`; one round trip. */
export async function readRunMeta(connection: Connection, id: string): Promise<RunningRun> {
  if (!/^[0-9A-Za-z-]{1,60}$/.test(id)) return { id: 'unknown', name: 'unknown', who: 'unknown' };
  const { stdout } = await connection.exec(`cat /var/lib/smtp-setup/runs/${id}/meta`, { root: true });
  return parseRunMeta(id, stdout);
}

/** Exit 6: somebody else's run goes on. */
export function busyError(running: RunningRun): SetupError {
  const since = running.since === undefined ? 'unknown' : new Date(running.since * 1000).toISOString();
  return new SetupError({
    code: 'E_BUSY',
    exit: Exit.busy,
    what: 'Another run goes on on this server.',
    evidence: [
      `held by ${sanitizeLine(running.who, 120)} since ${since}`,
      `run ${sanitizeLine(running.id, 60)} (${sanitizeLine(running.name, 40)})`,
    ],
    fix: ['Wait until it has ended (`smtp-setup status` follows it), then run again.'],
  });
}
