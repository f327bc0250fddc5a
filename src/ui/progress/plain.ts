import type { Progress, ProgressEvent, Repeat } from '../events.js';
import type { Io } from '../io.js';
import { formatDuration } from '../text.js';
import { type ActiveStep, ActiveSteps } from './active-steps.js';

const heartbeatMs = 60_000;
const tailLines = 20;

/** Off a terminal: a line when a step begins and ends, and a sign of life a minute. */
export function createPlainProgress(io: Io, clock: () => number, repeat: Repeat): Progress {
  const steps = new ActiveSteps(clock);
  const endHeartbeat = repeat(heartbeatMs, () => {
    for (const step of steps.list()) io.say(renderHeartbeat(step, clock()));
  });
  return {
    emit(event) {
      const step = steps.follow(event);
      for (const line of renderEvent(event, step, clock(), io.verbose)) io.say(line);
    },
    stop: endHeartbeat,
  };
}

function renderHeartbeat(step: ActiveStep, now: number): string {
  const state = step.waiting?.reason ?? step.lastLine;
  return `[${step.lane}] still at it after ${formatDuration(now - step.startedAt)}: ${step.title}${state === '' ? '' : ` (${state})`}`;
}

function renderEvent(
  event: ProgressEvent,
  step: ActiveStep | undefined,
  now: number,
  verbose: boolean,
): string[] {
  if (event.kind === 'notice') return [event.level === 'warn' ? `warning: ${event.text}` : event.text];
  const lane = `[${event.lane}]`;
  const title = step?.title ?? event.id;
  const elapsed = step === undefined ? '' : ` (${formatDuration(now - step.startedAt)})`;
  switch (event.kind) {
    case 'start':
      return [`${lane} ${event.title}`];
    case 'done':
      return [`${lane} done: ${title}${event.note === undefined ? '' : `, ${event.note}`}${elapsed}`];
    case 'skip':
      return [`${lane} nothing to do: ${event.title}, ${event.reason}`];
    case 'wait': {
      const eta = event.etaSeconds === undefined ? '' : `, about ${formatDuration(event.etaSeconds * 1000)}`;
      return [`${lane} waiting: ${event.reason}${eta}`];
    }
    case 'fail':
      return [
        `${lane} FAILED: ${title}${elapsed}: ${event.message}`,
        ...(event.tail ?? []).slice(-tailLines).map((line) => `${lane}   ${line}`),
      ];
    case 'line':
      return verbose ? [`${lane}   ${event.text}`] : [];
  }
}
