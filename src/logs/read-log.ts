import type { MailEvent } from './event.js';
import { parseLogLine } from './parse-line.js';
import { readEvent } from './read-event.js';
import { type Story, Tracker } from './track.js';

export interface MailLog {
  stories: Story[];
  failedLogins: Extract<MailEvent, { kind: 'login-failed' }>[];
  /** Lines that were in form. */
  lines: number;
}

/** A whole piece of journal, as stories. Pure; 100,000 lines take about a second. */
export function readLog(text: string): MailLog {
  const tracker = new Tracker();
  const failedLogins: MailLog['failedLogins'] = [];
  let lines = 0;
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    const line = parseLogLine(text.slice(from, end));
    from = end + 1;
    if (line === undefined) continue;
    lines += 1;
    const event = readEvent(line);
    if (event === undefined) continue;
    if (event.kind === 'login-failed') failedLogins.push(event);
    tracker.add(line.time, event);
  }
  return { stories: tracker.stories(), failedLogins, lines };
}
