import type { Redactor } from '../../config/redact.js';
import { messageOf } from '../../errors.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import { type Progress, type ProgressEvent, repeat } from '../events.js';
import type { Io } from '../io.js';
import type { LogFile } from '../log-file.js';
import { createJsonProgress } from './json.js';
import { createPlainProgress } from './plain.js';

/**
 * The listeners that fit the streams, behind one `emit`: whatever reaches them is single lines without control
 * characters and without secrets. `log` gets every line, shown or not.
 */
export async function createProgress(
  io: Io,
  clock: () => number,
  redactor: Redactor,
  log?: LogFile,
): Promise<Progress> {
  const shown = await chooseListener(io, clock);
  let open = log;
  return {
    emit(event) {
      const safe = cleanEvent(event, (text) => sanitizeLine(redactor.redact(text)));
      try {
        open?.write(describeForLog(safe));
      } catch (error) {
        // A full disk here must not end what is under way on the server.
        const text = `${log?.path} ends here: ${messageOf(error)}`;
        open = undefined;
        shown.emit({ kind: 'notice', level: 'warn', text: sanitizeLine(text) });
      }
      shown.emit(safe);
    },
    stop: () => shown.stop(),
  };
}

async function chooseListener(io: Io, clock: () => number): Promise<Progress> {
  if (io.json) return createJsonProgress(io, clock);
  // A dumb terminal cannot move its cursor.
  if (!io.err.canRedraw) return createPlainProgress(io, clock, repeat);
  const { createTtyProgress } = await import('./tty.js');
  return createTtyProgress(io, clock);
}

function cleanEvent(event: ProgressEvent, clean: (text: string) => string): ProgressEvent {
  const entries = Object.entries(event).map(([key, value]: [string, unknown]) => {
    if (typeof value === 'string') return [key, clean(value)];
    return [key, Array.isArray(value) ? value.map((line) => clean(String(line))) : value];
  });
  return Object.fromEntries(entries) as ProgressEvent;
}

function describeForLog(event: ProgressEvent): string {
  if (event.kind === 'notice') return `${event.level}: ${event.text}`;
  const place = `${event.lane} ${event.id}`;
  switch (event.kind) {
    case 'line':
      return `${place} | ${event.text}`;
    case 'start':
      return `${place} start: ${event.title}`;
    case 'done':
      return `${place} done${event.note === undefined ? '' : `: ${event.note}`}`;
    case 'skip':
      return `${place} skip: ${event.reason}`;
    case 'wait':
      return `${place} wait: ${event.reason}`;
    case 'fail':
      return [`${place} FAIL: ${event.message}`, ...(event.tail ?? [])].join('\n  ');
  }
}
