import { sanitizeLine, sanitizeText } from '../../lib/sanitize.js';
import type { QueuedMessage } from '../../logs/parse-queue.js';
import { createStyle } from '../colors.js';
import type { Io } from '../io.js';
import { count, formatDuration } from '../text.js';

const shown = 200;

/** What waits, oldest first, each with the reason per recipient. `now` in seconds. */
export function renderQueue(io: Io, messages: readonly QueuedMessage[], now: number): string {
  const { chalk, mark } = createStyle(io.out);
  if (messages.length === 0) return `${mark.done} The queue is empty.`;
  const sorted = [...messages].sort((a, b) => a.arrived - b.arrived);
  const lines = sorted
    .slice(0, shown)
    .flatMap(({ id, queue, arrived, size, sender, recipients }) => [
      `${chalk.bold(id)}  ${queueWord(queue)}  ${formatDuration((now - arrived) * 1000)}  ${formatSize(size)}  from ${sanitizeLine(sender, 200) || '<> (a bounce)'}`,
      ...recipients.map(
        ({ address, reason }) =>
          `  to ${sanitizeLine(address, 200)}${reason === undefined ? '' : chalk.dim(`  ${sanitizeLine(reason, 400)}`)}`,
      ),
    ]);
  if (sorted.length > shown)
    lines.push(chalk.dim(`… and ${sorted.length - shown} more (--json has them all)`));
  return [...lines, '', count(messages.length, 'message')].join('\n');
}

/** The same as plain data, for `--json`. */
export function queueDocument(messages: readonly QueuedMessage[]): Record<string, unknown> {
  return { messages };
}

const useful =
  /^(message_arrival_time|create_time|sender|recipient|original_recipient|done_recipient|named_attribute: (sasl_username|client_address|helo_name)=)/;

/** `postcat -qeh`, without what only Postfix understands. */
export function renderQueuedMessage(io: Io, text: string): string {
  const lines = sanitizeText(text, 256 * 1024).split('\n');
  const at = lines.findIndex((line) => line.startsWith('*** MESSAGE CONTENTS'));
  const envelope = at < 0 ? lines : lines.slice(0, at);
  const header = at < 0 ? [] : lines.slice(at + 1);
  const end = header.findIndex((line) => line.startsWith('*** '));
  const kept = io.verbose
    ? envelope
    : envelope.filter((line) => useful.test(line)).map((line) => line.replace('named_attribute: ', ''));
  return [...kept, '', ...(end < 0 ? header : header.slice(0, end))].join('\n');
}

function queueWord(queue: string): string {
  return queue === 'hold' ? 'on hold' : sanitizeLine(queue, 20);
}

function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
