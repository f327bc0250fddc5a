import { sanitizeLine } from '../lib/sanitize.js';

/** What the user interface is told while a run goes on. All text is safe for a terminal. */
export type RunEvent =
  | { kind: 'begin'; run: string; steps: number; time: number }
  | { kind: 'step'; number: number; id: string; title: string; time: number }
  | { kind: 'progress'; number: number; text: string; time: number }
  | { kind: 'done'; number: number; changed: boolean; time: number }
  | { kind: 'failed'; number: number; text: string; time: number }
  | { kind: 'end'; code: number; text: string; time: number }
  /** A line of the programs that run, apt's for instance. */
  | { kind: 'log'; text: string }
  | { kind: 'lost'; text: string; wait: number }
  | { kind: 'back' };

/** Reads one line of a run's `events` file: seconds, kind and fields, tab-separated. Undefined when it is not one. */
export function parseEvent(line: string): RunEvent | undefined {
  const [seconds, kind, ...fields] = line.split('\t');
  const time = readCount(seconds);
  if (time === undefined) return undefined;
  const [first = '', second = '', third = ''] = fields;
  if (kind === 'begin') return { kind, run: sanitizeLine(first, 40), steps: readCount(second) ?? 0, time };
  const number = readCount(first);
  if (number === undefined) return undefined;
  switch (kind) {
    case 'step':
      return { kind, number, id: sanitizeLine(second, 80), title: sanitizeLine(third), time };
    case 'progress':
    case 'failed':
      return { kind, number, text: sanitizeLine(second, 2000), time };
    case 'done':
      return { kind, number, changed: second === '1', time };
    case 'end':
      return { kind, code: number, text: sanitizeLine(second, 2000), time };
    default:
      return undefined;
  }
}

function readCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}
