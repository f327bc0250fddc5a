import type { LogsOptions } from '../cli/commands/logs.js';
import type { Run } from '../cli/outcome.js';
import { Exit } from '../errors.js';
import { Follower } from '../logs/follower.js';
import { readLog } from '../logs/read-log.js';
import { fits, isAbandoned, isProbe, type Story, type StoryFilter } from '../logs/track.js';
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
  const named = Object.keys(filter).length > 0;
  const shows = (story: Story): boolean =>
    fits(story, filter) && (named || io.verbose || !(isProbe(story) || isAbandoned(story)));
  if (!options.follow) {
    const log = readLog(await readJournal(connection, options.since, context.clock() / 1000));
    const stories = log.stories.filter(shows);
    io.print(renderStories(io, stories));
    const missing = options.messageId !== undefined && stories.length === 0;
    return { exit: missing ? Exit.failed : Exit.ok, document: { stories: stories.map(storyDocument) } };
  }
  const begin = context.clock() / 1000;
  const follower = new Follower(shows, begin - options.since);
  follower.catchUp(await readJournal(connection, options.since, begin));
  io.say('Following; Ctrl-C ends it.');
  return followJournal(connection, follower.last, context.signal, (line) => {
    const news = follower.take(line);
    if (news !== undefined) (io.json ? io.say : io.print)(renderEvents(io, news.story, news.from));
  });
};
