import { setTimeout as sleep } from 'node:timers/promises';
import { formatRecord } from '../dns/canonical.js';
import { applyChanges, indexOfRecord, isInEffect, recordsOfSet } from '../dns/diff.js';
import type { DnsJournal, JournalEntry } from '../dns/journal.js';
import type { Applied, Capabilities, Change, DnsProvider, Zone } from '../dns/providers/provider.js';
import type { LiveRecord, Stage } from '../dns/record.js';
import type { PlannedChange } from '../dns/zone-plan.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import {
  bySet,
  lineOf,
  refreshed,
  remainingOf,
  toBatches,
  toItem,
  type WriteItem,
  type WriteTarget,
} from './stage-writes.js';

export interface DnsLaneOptions {
  provider: Pick<DnsProvider, 'list' | 'apply'>;
  zone: Zone;
  capabilities: Pick<Capabilities, 'batchMax'> & Partial<Pick<Capabilities, 'flattensApexCname'>>;
  journal: DnsJournal;
  /** One line of progress, safe for a terminal. */
  log(line: string): void;
  clock(): Date;
  /** Milliseconds to let pass; the real time when missing. */
  wait?(milliseconds: number): Promise<unknown>;
}

/**
 * Milliseconds between readings while an accepted change is not shown yet: a server that signs the zone itself, or an
 * API that answers from a copy, shows it a moment later.
 */
const showWaits = [100, 250, 500, 1000, 2000, 4000, 8000] as const;

export interface StageResult {
  /** Records written by this call. */
  written: number;
  /** Already as planned: an earlier, interrupted apply did it. */
  alreadyThere: number;
  /** Left for the user to enter, at a provider without an API. */
  byHand: readonly Change[];
}

/** Writes one zone, stage by stage. Holds the zone's lock from the first write on; `close` gives it back. */
export interface DnsLane {
  /** Takes the lock and saves the zone, once; returns the files. `applyStage` does it by itself. */
  backup(): Promise<readonly string[]>;
  /**
   * Writes the changes of one stage: reads the zone again, stops at drift (E_DNS_DRIFT, exit 6), writes, reads back.
   * Without changes it asks nobody. Throws E_DNS_WRITE (exit 1) with a line for each record when some did not land.
   */
  applyStage(stage: Stage, planned: readonly PlannedChange[]): Promise<StageResult>;
  close(): Promise<void>;
}

interface Outcome {
  item: WriteItem;
  /** What the provider said; missing when the batch was never sent. */
  error?: string;
  /** The provider did not accept the token for it. */
  noRight?: boolean;
  sent: boolean;
  /** Nobody but the user can write it. */
  byHand?: boolean;
}

async function sendBatch(
  batch: readonly WriteItem[],
  live: readonly LiveRecord[],
  options: DnsLaneOptions,
): Promise<Outcome[]> {
  let results: Applied[];
  try {
    results = await options.provider.apply(
      options.zone,
      batch.map(({ change }) => refreshed(change, live)),
    );
  } catch (error) {
    // The request may have been carried out all the same; the read-back decides (R19).
    const noRight = error instanceof SetupError && error.code === 'E_DNS_TOKEN';
    return batch.map((item) => ({ item, sent: true, error: messageOf(error), noRight }));
  }
  return batch.map((item, index) => {
    const result = results[index] ?? { ok: false, error: 'The provider gave no answer for this record.' };
    if (result.ok) return { item, sent: true };
    if (result.code === 'E_DNS_PENDING') return { item, sent: true, byHand: true };
    return { item, sent: true, error: result.error, noRight: result.code === 'E_DNS_TOKEN' };
  });
}

/** Whether the provider took it, and the zone does not show it. */
function isHidden(outcome: Outcome, now: readonly LiveRecord[]): boolean {
  return outcome.sent && outcome.error === undefined && failureOf(outcome, now) !== undefined;
}

/** Why a change did not land, judged by what the zone shows now; undefined when it did. */
function failureOf(outcome: Outcome, now: readonly LiveRecord[]): string | undefined {
  if (outcome.byHand === true || isInEffect(outcome.item.change, now)) return undefined;
  if (!outcome.sent) return 'not sent, because an earlier record failed';
  return outcome.error ?? 'the provider accepted it, but the zone does not show it';
}

/** The cause of a write that the token has no right to; whether it is told as one depends on what is done already. */
export const noRightToWrite = Symbol('no right to write');

function writeError(zone: string, stage: Stage, lines: readonly string[], noRight = false): SetupError {
  return new SetupError({
    ...(noRight ? { cause: noRightToWrite } : {}),
    code: 'E_DNS_WRITE',
    exit: Exit.failed,
    what: `Not every record of the stage "${stage}" could be written to ${zone}.`,
    evidence: lines,
    fix: [
      'Run the command again: it goes on with what is missing.',
      'To go back instead: smtp-setup undo dns',
    ],
  });
}

export function createDnsLane(options: DnsLaneOptions): DnsLane {
  const { provider, zone, journal, log, clock } = options;
  let release: (() => Promise<void>) | undefined;
  let saved: readonly string[] | undefined;
  let counter = 0;
  let last: Promise<unknown> = Promise.resolve();

  /** One thing at a time: stages may be published side by side by the caller, a zone is not. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    // Whether the one before failed is its own caller's business.
    const result = last.then(work, work);
    last = result;
    return result;
  };

  const backup = async (live?: readonly LiveRecord[]): Promise<readonly string[]> => {
    release ??= await journal.lock(zone.name);
    if (saved === undefined) {
      saved = await journal.saveZone(zone.name, clock(), live ?? (await provider.list(zone)));
      log(`Saved the zone ${zone.name}: ${saved.join(', ')}`);
    }
    return saved;
  };

  const readBack = async (outcomes: readonly Outcome[]): Promise<LiveRecord[]> => {
    let now = await provider.list(zone);
    for (const milliseconds of showWaits) {
      if (!outcomes.some((outcome) => isHidden(outcome, now))) break;
      await (options.wait?.(milliseconds) ?? sleep(milliseconds));
      now = await provider.list(zone);
    }
    return now;
  };

  const journalWrites = async (
    items: readonly WriteItem[],
    live: readonly LiveRecord[],
  ): Promise<Map<WriteItem, string>> => {
    const at = clock().toISOString();
    const ids = new Map(items.map((item) => [item, `${at}-${++counter}`]));
    const entries = items.map((item): JournalEntry => {
      const { stage, role } = item.planned;
      // As it stands there now, so that an undo gives back today's TTL and comment, not the plan's.
      const change = refreshed(item.change, live);
      return { kind: 'write', id: ids.get(item) ?? '', at, stage, role, change };
    });
    await journal.append(zone.name, entries);
    return ids;
  };

  const writeItems = async (
    stage: Stage,
    todo: readonly WriteItem[],
    live: readonly LiveRecord[],
  ): Promise<Change[]> => {
    const outcomes: Outcome[] = [];
    const ids = new Map<WriteItem, string>();
    for (const batch of toBatches(todo, options.capabilities.batchMax)) {
      if (outcomes.some(({ error }) => error !== undefined)) {
        outcomes.push(...batch.map((item) => ({ item, sent: false })));
        continue;
      }
      for (const [item, id] of await journalWrites(batch, live)) ids.set(item, id);
      outcomes.push(...(await sendBatch(batch, live, options)));
    }
    const byHand = outcomes.filter((outcome) => outcome.byHand === true).map(({ item }) => item);
    const now = await readBack(outcomes);
    const at = clock().toISOString();
    const results = outcomes.map((outcome) => ({ outcome, failure: failureOf(outcome, now) }));
    await journal.append(
      zone.name,
      results.flatMap(({ outcome, failure }): JournalEntry[] => {
        const id = ids.get(outcome.item);
        if (id === undefined) return [];
        return [
          {
            kind: 'result',
            id,
            at,
            ok: failure === undefined,
            ...(failure === undefined ? {} : { error: failure }),
          },
        ];
      }),
    );
    const lines = results.map(
      ({ outcome, failure }) =>
        `${failure !== undefined ? 'FAILED' : outcome.byHand === true ? 'by hand' : 'done'}: ${lineOf(outcome.item.change)}${failure === undefined ? '' : ` — ${sanitizeLine(failure, 300)}`}`,
    );
    const failed = results.filter(({ failure }) => failure !== undefined);
    const noRight = failed.some(({ outcome }) => outcome.noRight === true);
    if (failed.length > 0) throw writeError(zone.name, stage, lines, noRight);
    for (const line of lines) log(line);
    const sets = new Set(byHand.map(({ key }) => key));
    checkSets(
      stage,
      todo.filter(({ key }) => !sets.has(key)),
      now,
    );
    return byHand.map(({ change }) => change);
  };

  /** A provider that merges sets wrongly would lose somebody else's record; that must not go unseen. */
  const checkSets = (stage: Stage, todo: readonly WriteItem[], now: readonly LiveRecord[]): void => {
    const wrong = bySet(todo).flatMap((items) => {
      const expected = applyChanges(
        items[0]?.planned.rrsetBefore ?? [],
        items.map(({ change }) => change),
      );
      const actual = recordsOfSet(now, items[0]?.key ?? '');
      return expected.filter((record) => indexOfRecord(actual, record) < 0);
    });
    if (wrong.length > 0) {
      throw writeError(
        zone.name,
        stage,
        wrong.map((record) => `lost: ${formatRecord(record)}`),
      );
    }
  };

  const applyStage: DnsLane['applyStage'] = async (stage, planned) => {
    const ofStage = planned.filter((change) => change.stage === stage);
    if (ofStage.length === 0) return { written: 0, alreadyThere: 0, byHand: [] };
    const waiting = ofStage.find(({ pending }) => pending !== undefined);
    if (waiting !== undefined) {
      throw new SetupError({
        code: 'E_DNS_UNKNOWN_VALUE',
        exit: Exit.failed,
        what: `The record ${waiting.after?.name ?? waiting.id} is not known yet; nothing of the stage was written.`,
        evidence: [`waits for ${waiting.pending}`],
      });
    }
    // Locked before the reading: what is read is what will be changed.
    release ??= await journal.lock(zone.name);
    const live = await provider.list(zone);
    const items = ofStage.map(toItem);
    const flattensApexCname = options.capabilities.flattensApexCname === true;
    const target: WriteTarget = { zone: zone.name, stage, flattensApexCname };
    const todo = bySet(items).flatMap((set) => remainingOf(set, live, target));
    if (todo.length > 0) await backup(live);
    const byHand = todo.length > 0 ? await writeItems(stage, todo, live) : [];
    return {
      written: todo.length - byHand.length,
      alreadyThere: items.length - todo.length,
      byHand,
    };
  };

  return {
    backup: () => inTurn(() => backup()),
    applyStage: (stage, planned) => inTurn(() => applyStage(stage, planned)),
    close: () =>
      inTurn(async () => {
        const held = release;
        release = undefined;
        await held?.();
      }),
  };
}
