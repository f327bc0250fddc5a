import type { RunEvent } from '../apply/run-events.js';
import type { RunName } from '../plan/step.js';
import type { Progress } from '../ui/events.js';

const tailLines = 8;

/** Turns what a run on the server tells into progress. Each run is a stream of its own: steps are numbered within it. */
export function createRunListener(run: RunName, progress: Progress): (event: RunEvent) => void {
  // Several run at a time; a line of the log belongs to the one that spoke last, as far as can be told.
  let current = '';
  const tails = new Map<string, string[]>();
  const idOf = (number: number): string => `${run}-${number}`;
  const tell = (id: string, text: string): void => {
    const tail = tails.get(id);
    if (tail === undefined) return;
    tail.push(text);
    if (tail.length > tailLines) tail.shift();
    progress.emit({ kind: 'line', lane: 'server', id, text });
  };
  return (event) => {
    switch (event.kind) {
      case 'step':
        current = idOf(event.number);
        tails.set(current, []);
        progress.emit({ kind: 'start', lane: 'server', id: current, title: event.title });
        return;
      case 'progress':
        current = idOf(event.number);
        tell(current, event.text);
        return;
      case 'log':
        tell(current, event.text);
        return;
      case 'done':
        tails.delete(idOf(event.number));
        progress.emit({
          kind: 'done',
          lane: 'server',
          id: idOf(event.number),
          ...(event.changed ? {} : { note: 'already so' }),
        });
        return;
      case 'failed': {
        const id = idOf(event.number);
        progress.emit({ kind: 'fail', lane: 'server', id, message: event.text, tail: tails.get(id) ?? [] });
        tails.delete(id);
        return;
      }
      case 'lost':
        progress.emit({
          kind: 'notice',
          level: 'warn',
          text: `The connection was lost (${event.text}); the run goes on. Trying again in ${event.wait} s.`,
        });
        return;
      case 'back':
        progress.emit({ kind: 'notice', level: 'info', text: 'Connected again.' });
        return;
      case 'begin':
      case 'end':
        return;
    }
  };
}
