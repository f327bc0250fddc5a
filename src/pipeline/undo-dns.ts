import { join } from 'node:path';
import { createDnsLane } from '../apply/dns-lane.js';
import { applyDnsUndo } from '../apply/undo-dns.js';
import type { UndoOptions } from '../cli/commands/undo.js';
import type { Run } from '../cli/outcome.js';
import { renderInstructions } from '../dns/instructions.js';
import { undoDns } from '../dns/journal.js';
import { openFileJournal } from '../dns/journal-file.js';
import type { ZonePlan } from '../dns/zone-plan.js';
import { Exit } from '../errors.js';
import { cancelledError } from '../ui/cancelled.js';
import { planDocument, renderPlan } from '../ui/report/plan.js';
import { count } from '../ui/text.js';
import { chooseServer } from './choose-servers.js';
import { openResolvers } from './open-resolvers.js';
import { openSession } from './session.js';
import { surveyZones } from './survey.js';
import { planReverseUndo, undoReverse } from './undo-reverse.js';

/** `undo dns`: replays the inverse of what this machine wrote, latest stage first, where our value still stands. */
export const runUndoDns: Run<UndoOptions> = async (context, options) => {
  const { io } = context;
  const session = await openSession(context, { ...options, needsConfig: true });
  const { config, hostname } = chooseServer(session, session.answers);
  const resolvers = await openResolvers(session, [hostname, ...Object.keys(config.domains)]);
  const zones = await surveyZones(session, config, hostname, resolvers);
  const journal = openFileJournal(join(context.stateDir, 'dns'));
  const undos = await Promise.all(
    zones.map(async (survey) => ({
      survey,
      undo: undoDns(await journal.read(survey.zone.name), survey.live),
    })),
  );
  const reverse = await planReverseUndo(session, hostname, zones);
  const view = {
    hostname,
    reverse: reverse.takeBacks.map(({ change }) => change),
    server: [],
    zones: undos.map(
      ({ survey, undo }): ZonePlan => ({
        zone: survey.zone,
        changes: undo.changes,
        kept: [],
        conflicts: [],
        notes: undo.skipped.map(({ line, reason }) => ({
          level: 'info' as const,
          text: `Left alone: ${line}. ${reason}`,
        })),
        waits: [],
      }),
    ),
    manual: [],
  };
  for (const note of reverse.notes) io.say(note);
  io.say(renderPlan(io, view));
  const records = undos.reduce((sum, { undo }) => sum + undo.changes.length, 0);
  if (records + reverse.takeBacks.length === 0)
    return { exit: Exit.ok, document: { changed: false, plan: planDocument(view) } };
  if (!options.yes) {
    const agreed = await session.asker.confirm({
      key: 'undo',
      message: 'Take all of this back?',
      default: false,
      flag: '--yes',
    });
    if (!agreed) throw cancelledError();
  }
  let written = 0;
  let byHand = 0;
  for (const { survey, undo } of undos) {
    const lane = createDnsLane({
      provider: survey.open.provider,
      zone: survey.zone,
      capabilities: survey.open.definition.capabilities,
      journal,
      log: (line) => io.say(line),
      clock: () => new Date(context.clock()),
    });
    try {
      const clock = () => new Date(context.clock());
      const done = await applyDnsUndo(lane, undo, journal, survey.zone.name, clock);
      written += done.written;
      byHand += done.byHand.length;
      if (done.byHand.length > 0) io.print(renderInstructions(survey.zone, done.byHand).join('\n'));
    } finally {
      await lane.close();
    }
  }
  // Last: while records of ours stand, the name is what they lean on.
  const named = await undoReverse(session, reverse);
  const names = named === 0 ? '' : ` and ${count(named, 'reverse name')}`;
  io.print(`Took back ${count(written, 'DNS record')}${names}.`);
  if (byHand > 0) {
    io.say(`${byHand} more are for you to change at your DNS provider, as shown above.`);
    return {
      exit: Exit.pending,
      document: { changed: written + named > 0, written, named, byHand, plan: planDocument(view) },
    };
  }
  return { exit: Exit.ok, document: { changed: true, written, named, plan: planDocument(view) } };
};
