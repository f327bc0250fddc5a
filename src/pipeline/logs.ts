import type { LogsOptions } from '../cli/commands/logs.js';
import type { Run } from '../cli/outcome.js';
import { Exit } from '../errors.js';
import { parseLogLine } from '../logs/parse-line.js';
import { readEvent } from '../logs/read-event.js';
import { readLog } from '../logs/read-log.js';
import { fits, isProbe, type Story, type StoryFilter, Tracker } from '../logs/track.js';
import { renderEvents, renderStories, storyDocument } from '../ui/report/stories.js';
import { connectServer } from './connect-server.js';
import { followJournal, readJournal } from './read-journal.js';
import { openSession } from './session.js';

/** `logs`: what became of each message. Exit 1 when one was asked for by its id and is not there. */
export const runLogs: Run<LogsOptions> = async (context, options) => {
  const { io } = context;
  const filter: StoryFilter = {
    ...(options.messageId === undefined ? {} : { messageId: options.messageId }),
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.to === undefined ? {} : { to: options.to }),
  };
  const session = await openSession(context, options);
  const { connection } = await connectServer(session, session.answers);
  const shows = (story: Story): boolean =>
    fits(story, filter) && (Object.keys(filter).length > 0 || io.verbose || !isProbe(story));
  if (!options.follow) {
    const log = readLog(await readJournal(connection, options.since, context.clock() / 1000));
    const stories = log.stories.filter(shows);
    io.print(renderStories(io, stories));
    const missing = options.messageId !== undefined && stories.length === 0;
    return { exit: missing ? Exit.failed : Exit.ok, document: { stories: stories.map(storyDocument) } };
  }
  // A message that is under way when we begin is told from its beginning.
  const tracker = new Tracker();
  const told = new Map<Story, number>();
  const begin = context.clock() / 1000;
  let last = begin - options.since;
  const take = (text: string, print: boolean): void => {
    const line = parseLogLine(text);
    last = line?.time ?? last;
    const event = line === undefined ? undefined : readEvent(line);
    const story = line === undefined || event === undefined ? undefined : tracker.add(line.time, event);
    if (story === undefined) return;
    const from = told.get(story) ?? 0;
    if (print && !shows(story)) return;
    told.set(story, story.events.length);
    if (print) (io.json ? io.say : io.print)(renderEvents(io, story, from));
  };
  for (const line of (await readJournal(connection, options.since, begin)).split('\n')) take(line, false);
  for (const story of tracker.stories()) if (!story.done) told.delete(story);
  io.say('Following; Ctrl-C ends it.');
  return followJournal(connection, last, context.signal, (line) => take(line, true));
};
