import { messageOf, SetupError } from '../errors.js';
import type { ReverseEntry, ReverseNames } from '../hosting/hosting-api.js';
import { hostingApiOf } from '../hosting/index.js';
import { openReverseJournal, type StandingWrite, standingWrites } from '../hosting/reverse-journal.js';
import { openReverseNames, type ReverseChange } from './plan-reverse.js';
import type { Session } from './session.js';
import type { ZoneSurvey } from './survey.js';

interface TakeBack {
  write: StandingWrite;
  names: ReverseNames;
  /** As the plan shows it. */
  change: ReverseChange;
}

export interface ReverseUndo {
  takeBacks: readonly TakeBack[];
  /** What is left as it is, and why. */
  notes: readonly string[];
}

/** The reverse names of a host that were set from this machine and still are what was set. Reads only. */
export async function planReverseUndo(
  session: Session,
  hostname: string,
  zones: readonly ZoneSurvey[],
): Promise<ReverseUndo> {
  const writes = standingWrites(await openReverseJournal(session.context.stateDir).read(), hostname);
  const found = await Promise.all(writes.map((write) => judge(session, write, zones)));
  return {
    takeBacks: found.flatMap((one) => (typeof one === 'string' ? [] : [one])),
    notes: found.flatMap((one) => (typeof one === 'string' ? [one] : [])),
  };
}

async function judge(
  session: Session,
  write: StandingWrite,
  zones: readonly ZoneSurvey[],
): Promise<TakeBack | string> {
  const { address, before, after } = write;
  const api = hostingApiOf(write.hosting);
  const names = api && (await openReverseNames(session, api, zones));
  if (api === undefined || names === undefined) {
    const variables = api?.account.credentials.flatMap(({ env }) => env) ?? [];
    return `Left alone: the reverse name of ${address}. Taking it back needs the token that set it (${variables[0] ?? write.hosting}).`;
  }
  let now: ReverseEntry | undefined;
  try {
    now = await names.read(address);
  } catch (error) {
    if (!(error instanceof SetupError) || session.context.signal.aborted) throw error;
    return `Left alone: the reverse name of ${address}. ${messageOf(error)} (${error.evidence[0] ?? error.code})`;
  }
  const why = whyLeft(write, now);
  if (why !== undefined) return why;
  const change = {
    address,
    before: after,
    after: before ?? 'what the provider calls it by itself',
    at: api.title,
  };
  return { write, names, change };
}

/** Why a name stays as it is; undefined: it still is what was set. Pure. */
export function whyLeft(
  { address, after, proven }: StandingWrite,
  now: ReverseEntry | undefined,
): string | undefined {
  const left = `Left alone: the reverse name of ${address}.`;
  if (now?.name !== after) return `${left} It no longer is what was set (${after}).`;
  if (proven) return undefined;
  return `${left} It is ${after}, but the run that meant to set that never learnt whether it did: somebody may have entered it. Change it at the hosting provider if nobody did.`;
}

/** Gives the addresses back what they were called, and says so in the journal; returns how many. */
export async function undoReverse(session: Session, { takeBacks }: ReverseUndo): Promise<number> {
  const { context } = session;
  const journal = openReverseJournal(context.stateDir);
  for (const { write, names } of takeBacks) {
    await names.set(write.address, write.before);
    const at = new Date(context.clock()).toISOString();
    await journal.append({ kind: 'undone', at, address: write.address });
  }
  return takeBacks.length;
}
