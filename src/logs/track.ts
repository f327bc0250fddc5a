import { checkerName } from '../mail/checker-name.js';
import type { MailEvent } from './event.js';

export interface TimedEvent {
  /** Seconds since 1970. */
  time: number;
  event: MailEvent;
}

/** Everything that the daemons said about one message on its way through this server. */
export interface Story {
  /** Postfix's queue id; empty when it was refused before it got one. */
  id: string;
  messageId: string;
  from: string | undefined;
  login: string | undefined;
  client: string | undefined;
  size: number | undefined;
  /** Envelope recipients that were seen, with what was written before an alias changed them. */
  recipients: Set<string>;
  /** In the order of the log. */
  events: TimedEvent[];
  /** It left the queue, or was refused. */
  done: boolean;
}

/** More stories than this are not held at once: the oldest that are over are let go. */
const keptDone = 50_000;

/**
 * Joins events to stories as they come. Queue ids are used again, so a message that comes in under the id of one that
 * is over begins a new story; Dovecot's events are found by the session that its answer to Postfix names, else by
 * message id.
 */
export class Tracker {
  readonly #open = new Map<string, Story>();
  readonly #byMessageId = new Map<string, Story>();
  readonly #done: Story[] = [];

  /** The story that the event belongs to, with the event in it; undefined for what is about no message. */
  add(time: number, event: MailEvent): Story | undefined {
    if (event.kind === 'login-failed') return undefined;
    if (event.kind === 'rejected' && event.id === undefined) {
      const story = newStory('');
      this.#take(story, time, event);
      this.#finish(story);
      return story;
    }
    const story = this.#storyOf(event);
    if (story === undefined) return undefined;
    this.#take(story, time, event);
    if (event.kind === 'removed' || event.kind === 'rejected') this.#finish(story);
    return story;
  }

  /** All stories, by their first event. */
  stories(): Story[] {
    return [...this.#done, ...this.#open.values()].sort(
      (a, b) => (a.events[0]?.time ?? 0) - (b.events[0]?.time ?? 0),
    );
  }

  #storyOf(event: MailEvent): Story | undefined {
    if (event.kind === 'stored' || event.kind === 'not-stored') return this.#byMessageId.get(event.messageId);
    if (!('id' in event) || event.id === undefined) return undefined;
    const known = this.#open.get(event.id);
    // Rspamd writes its line a moment after the milter's answer, when a refused message is over already.
    if (known === undefined && event.kind === 'judged') {
      const late = this.#byMessageId.get(event.messageId);
      if (late?.id === event.id) return late;
      return undefined;
    }
    // The end of something that began before this piece of the log, or is over already.
    if (known === undefined && (event.kind === 'removed' || event.kind === 'returned')) return undefined;
    const again = event.kind === 'received' && known !== undefined;
    if (known !== undefined && !again) return known;
    if (known !== undefined) this.#finish(known);
    const story = newStory(event.id);
    this.#open.set(event.id, story);
    return story;
  }

  #take(story: Story, time: number, event: MailEvent): void {
    story.events.push({ time, event });
    switch (event.kind) {
      case 'received':
        story.client = event.client;
        story.login = event.login;
        return;
      case 'message-id':
        story.messageId = event.messageId;
        this.#byMessageId.set(event.messageId, story);
        return;
      case 'queued':
        story.from = event.from;
        story.size = event.size;
        return;
      case 'delivery':
        story.recipients.add(event.originalTo ?? event.to);
        story.recipients.add(event.to);
        return;
      case 'rejected':
        story.client ??= event.client;
        story.from ??= event.from;
        if (event.to !== undefined) story.recipients.add(event.to);
        return;
      case 'judged':
        story.login ??= event.login;
        return;
      default:
        return;
    }
  }

  #finish(story: Story): void {
    story.done = true;
    if (story.id !== '') this.#open.delete(story.id);
    this.#done.push(story);
    if (this.#done.length <= keptDone * 1.1) return;
    for (const old of this.#done.splice(0, this.#done.length - keptDone)) {
      if (this.#byMessageId.get(old.messageId) === old) this.#byMessageId.delete(old.messageId);
    }
  }
}

function newStory(id: string): Story {
  return {
    id,
    messageId: '',
    from: undefined,
    login: undefined,
    client: undefined,
    size: undefined,
    recipients: new Set(),
    events: [],
    done: false,
  };
}

export interface StoryFilter {
  messageId?: string;
  /** An address, or `@domain`. */
  from?: string;
  to?: string;
}

/** Whether a story is one of those that were asked for; an empty filter fits all. */
export function fits(story: Story, filter: StoryFilter): boolean {
  const { messageId, from, to } = filter;
  if (messageId !== undefined && story.messageId !== messageId && story.id !== messageId) return false;
  if (from !== undefined && !fitsAddress(story.from, from) && !fitsAddress(story.login, from)) return false;
  return to === undefined || [...story.recipients].some((recipient) => fitsAddress(recipient, to));
}

function fitsAddress(address: string | undefined, wanted: string): boolean {
  if (address === undefined) return false;
  const one = address.toLowerCase();
  return wanted.startsWith('@') ? one.endsWith(wanted.toLowerCase()) : one === wanted.toLowerCase();
}

/** A client named a recipient and went away again, as scanners do: there is no message to tell about. */
export function isAbandoned({ events }: Story): boolean {
  return events.every(({ event }) => event.kind === 'received');
}

/** How our checks from outside and the probes on the server (templates/run/mail-talk.sh) name themselves. */
const ownNames: ReadonlySet<string | undefined> = new Set([checkerName, 'probe.invalid']);

/** Our own probes and checks: RFC 2606 keeps `.invalid` for what can never be somebody's. */
export function isProbe(story: Story): boolean {
  // Anybody may use the name; what was taken is told all the same.
  if (story.events.every(({ event }) => event.kind === 'rejected' && ownNames.has(event.helo))) return true;
  const addresses = [story.from ?? '', story.login ?? '', story.messageId, ...story.recipients];
  return addresses.some(
    (address) =>
      /\.invalid[>"\]]?$/i.test(address) || /^smtp-setup-(?:probe|check-[0-9a-f]{8})@/.test(address),
  );
}
