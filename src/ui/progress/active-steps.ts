import type { Lane, ProgressEvent } from '../events.js';

/** A step that is running, as the listeners show it. */
export interface ActiveStep {
  id: string;
  lane: Lane;
  title: string;
  startedAt: number;
  lastEventAt: number;
  lastLine: string;
  waiting?: { reason: string; etaAt?: number };
}

/** Keeps account of the steps that run; the listeners differ only in how they show them. */
export class ActiveSteps {
  readonly #steps = new Map<string, ActiveStep>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** In the order in which they began. */
  list(): readonly ActiveStep[] {
    return [...this.#steps.values()];
  }

  /** Takes an event in; returns the step it is about, as it stood, and forgets that step when it ended. */
  follow(event: ProgressEvent): ActiveStep | undefined {
    if (event.kind === 'notice' || event.kind === 'skip') return undefined;
    const key = `${event.lane} ${event.id}`;
    const now = this.#clock();
    if (event.kind === 'start') {
      const { id, lane, title } = event;
      const step = { id, lane, title, startedAt: now, lastEventAt: now, lastLine: '' };
      this.#steps.set(key, step);
      return step;
    }
    const step = this.#steps.get(key);
    if (step === undefined) return undefined;
    step.lastEventAt = now;
    if (event.kind === 'line') {
      step.lastLine = event.text;
      delete step.waiting;
    } else if (event.kind === 'wait') {
      step.waiting = {
        reason: event.reason,
        ...(event.etaSeconds === undefined ? {} : { etaAt: now + event.etaSeconds * 1000 }),
      };
    } else this.#steps.delete(key);
    return step;
  }
}
