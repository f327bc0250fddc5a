import type { MailEvent } from './event.js';
import { parseLogLine } from './parse-line.js';
import { readEvent } from './read-event.js';
import { type Story, Tracker } from './track.js';

/** What is new of a story: its events from the `from`-th on. */
export interface News {
  story: Story;
  from: number;
}

/**
 * Tells stories while they happen. One that is under way when it begins, or that turns out to be meant only when its
 * message id or recipient is known, is told from its beginning.
 */
export class Follower {
  readonly #tracker = new Tracker();
  readonly #told = new Map<Story, number>();
  readonly #shows: (story: Story) => boolean;
  /** Seconds since 1970, of the last line. */
  last: number;

  constructor(shows: (story: Story) => boolean, last: number) {
    this.#shows = shows;
    this.last = last;
  }

  /** A piece of the log from before: what is over in it is not told any more. */
  catchUp(text: string): void {
    for (const line of text.split('\n')) this.#add(line);
    for (const story of this.#tracker.stories()) if (story.done) this.#told.set(story, story.events.length);
  }

  take(line: string): News | undefined {
    const story = this.#add(line);
    if (story === undefined || !this.#shows(story)) return undefined;
    const from = this.#told.get(story) ?? 0;
    this.#told.set(story, story.events.length);
    return { story, from };
  }

  #add(text: string): Story | undefined {
    const line = parseLogLine(text);
    if (line === undefined) return undefined;
    this.last = line.time;
    const event: MailEvent | undefined = readEvent(line);
    return event === undefined ? undefined : this.#tracker.add(line.time, event);
  }
}
