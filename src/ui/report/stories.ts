import { sanitizeLine } from '../../lib/sanitize.js';
import type { MailEvent } from '../../logs/event.js';
import { explainAnswer } from '../../logs/explain.js';
import type { Story, TimedEvent } from '../../logs/track.js';
import { createStyle, type Style } from '../colors.js';
import type { Io } from '../io.js';
import { count } from '../text.js';

const shown = 100;

/** Messages one after the other, each from its arrival to its end. */
export function renderStories(io: Io, stories: readonly Story[]): string {
  const { chalk } = createStyle(io.out);
  if (stories.length === 0) return 'The log has no such message.';
  const lines = stories.slice(-shown).flatMap((story) => [renderEvents(io, story, 0), '']);
  if (stories.length > shown) {
    lines.unshift(
      chalk.dim(`${stories.length - shown} earlier messages are left out (--json has them all).`),
      '',
    );
  }
  return [...lines, count(stories.length, 'message')].join('\n');
}

/** The events of a story from the `from`-th on; the heading comes with the first. */
export function renderEvents(io: Io, story: Story, from: number): string {
  const style = createStyle(io.out);
  const { chalk } = style;
  const explained = new Set<string>();
  const lines = story.events
    .slice(from)
    .flatMap((timed) => renderEvent(style, timed, from > 0 ? story.id : '', io.verbose, explained));
  if (from > 0) return lines.join('\n');
  const begin = new Date((story.events[0]?.time ?? 0) * 1000).toISOString().slice(0, 10);
  const sender = story.from === '' ? '<> (a bounce or report)' : (story.from ?? 'unknown sender');
  const recipients = [...story.recipients];
  const to = recipients.length > 3 ? count(recipients.length, 'recipient') : recipients.join(', ');
  const heading = `${chalk.bold(story.id || 'refused')}  ${begin}  ${sanitizeLine(sender, 200)} -> ${sanitizeLine(to, 300) || 'nobody yet'}`;
  const id =
    story.messageId === '' ? [] : [chalk.dim(`  Message-ID <${sanitizeLine(story.messageId, 200)}>`)];
  return [heading, ...id, ...lines].join('\n');
}

/** A story as plain data, for `--json`. */
export function storyDocument(story: Story): Record<string, unknown> {
  const { id, messageId, from, login, client, size, recipients, events, done } = story;
  return {
    id,
    messageId,
    from,
    login,
    client,
    size,
    recipients: [...recipients],
    done,
    events: events.map(({ time, event }) => {
      const explanation = 'answer' in event && isTrouble(event) ? explainAnswer(event.answer) : undefined;
      return {
        time: new Date(time * 1000).toISOString(),
        ...event,
        ...(explanation === undefined ? {} : { explanation }),
      };
    }),
  };
}

function renderEvent(
  style: Style,
  { time, event }: TimedEvent,
  id: string,
  verbose: boolean,
  explained: Set<string>,
): string[] {
  const { chalk, mark } = style;
  const told = tell(event);
  if (told === undefined) return [];
  const [sign, text] = told;
  const clock = chalk.dim(new Date(time * 1000).toISOString().slice(11, 19));
  const lines = [
    `  ${id === '' ? '' : `${chalk.bold(id)} `}${clock} ${mark[sign]} ${sanitizeLine(text, 600)}`,
  ];
  const explanation = 'answer' in event && isTrouble(event) ? explainAnswer(event.answer) : undefined;
  if (explanation !== undefined && event.kind !== 'rejected' && !explained.has(explanation.id)) {
    explained.add(explanation.id);
    lines.push(`             ${chalk.yellow(explanation.title)}: ${explanation.meaning}`);
    for (const todo of explanation.todo) lines.push(chalk.dim(`             -> ${todo}`));
  }
  return verbose && event.kind === 'judged' ? [...lines, ...listReasons(style, event)] : lines;
}

function listReasons({ chalk }: Style, event: Extract<MailEvent, { kind: 'judged' }>): string[] {
  return event.reasons.map(({ name, score }) => chalk.dim(`             ${name} ${score}`));
}

function isTrouble(event: MailEvent): boolean {
  return event.kind !== 'delivery' || event.status !== 'sent';
}

/** One sentence an event; nothing for what only the machinery needs. */
function tell(event: MailEvent): [sign: keyof Style['mark'], text: string] | undefined {
  switch (event.kind) {
    case 'received':
      if (event.client === undefined) return ['info', 'handed over by a program on the server'];
      return ['info', `came in from ${event.client}${event.login ? `, logged in as ${event.login}` : ''}`];
    case 'judged': {
      const signed = event.signed.map((signature) => signature.replace(' ', ' with selector ')).join(', ');
      const verdict = `Rspamd: ${event.action}, score ${event.score.toFixed(1)} of ${event.required.toFixed(0)}`;
      const sign = ['no action', 'add header'].includes(event.action) ? 'done' : 'warn';
      return [sign, signed === '' ? verdict : `${verdict}; signed for ${signed}`];
    }
    case 'delivery':
      return tellDelivery(event);
    case 'returned':
      return event.type === 'bounce'
        ? ['warn', `the sender is told: ${event.notice}`]
        : ['info', `a ${event.type} notice to the sender: ${event.notice}`];
    case 'rejected':
      return ['fail', `refused at ${event.stage}, to ${event.client}: ${event.answer}`];
    case 'stored':
      return ['done', `Dovecot put it into ${event.mailbox} of ${event.user}`];
    case 'not-stored':
      return ['fail', `Dovecot did not take it for ${event.user}: ${event.answer}`];
    case 'message-id':
    case 'queued':
    case 'removed':
    case 'login-failed':
      return undefined;
  }
}

function tellDelivery(event: Extract<MailEvent, { kind: 'delivery' }>): [keyof Style['mark'], string] {
  const to = event.originalTo === undefined ? event.to : `${event.to} (for ${event.originalTo})`;
  const where = event.relay === 'none' ? '' : ` by ${event.relay}`;
  switch (event.status) {
    case 'sent':
      return ['done', `${to}: taken${where} after ${event.delay} s: ${event.answer}`];
    case 'deferred':
      return ['wait', `${to}: put off${where}: ${event.answer}`];
    case 'bounced':
      return ['fail', `${to}: refused${where}: ${event.answer}`];
    case 'expired':
      return ['fail', `${to}: given up: ${event.answer}`];
  }
}
