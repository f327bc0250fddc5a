import type { RunEvent } from '../apply/run-events.js';
import type { RunName } from '../plan/step.js';
import type { Progress } from '../ui/events.js';

const tailLines = 8;

/** Turns what a run on the server tells into progress. Each run is a stream of its own: steps are numbered within it. */
export function createRunListener(run: RunName, progress: Progress): (event: RunEvent) => void {
  let current = '';
  const titles = new Map<number, string>();
  const tail: string[] = [];
  const idOf = (number: number): string => `${run}-${number}`;
  return (event) => {
    switch (event.kind) {
      case 'step':
        current = idOf(event.number);
        titles.set(event.number, event.title);
        tail.length = 0;
        progress.emit({ kind: 'start', lane: 'server', id: current, title: event.title });
        return;
      case 'progress':
      case 'log':
        if (current === '') return;
        tail.push(event.text);
        if (tail.length > tailLines) tail.shift();
        progress.emit({ kind: 'line', lane: 'server', id: current, text: event.text });
        return;
      case 'done':
        progress.emit({
          kind: 'done',
          lane: 'server',
          id: idOf(event.number),
          ...(event.changed ? {} : { note: 'already so' }),
        });
        return;
      case 'failed':
        progress.emit({
          kind: 'fail',
          lane: 'server',
          id: idOf(event.number),
          message: event.text,
          tail: [...tail],
        });
        return;
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
