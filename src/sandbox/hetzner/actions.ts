import { hetznerErrors } from './api-error.js';
import { now } from './render.js';
import type { Json } from './request.js';

interface Action {
  id: number;
  command: string;
  pollsLeft: number;
  error?: { code: string; message: string };
}

/** What a project does in the background: https://docs.hetzner.cloud/reference/cloud#actions */
export class ActionLog {
  private readonly actions = new Map<number, Action>();
  private readonly polls: number;
  private nextFailure: Action['error'];

  /** `polls`: how often an action is seen running before it has ended. */
  constructor(polls: number) {
    this.polls = polls;
  }

  /** The next action is accepted, and then ends with this error. */
  failNext(code: string, message: string): void {
    this.nextFailure = { code, message };
  }

  async carryOut(command: string, write: () => Promise<void>): Promise<Json> {
    if (this.nextFailure === undefined) await write();
    return { action: this.start(command) };
  }

  start(command: string): Json {
    const id = 1000 + this.actions.size;
    const action: Action = { id, command, pollsLeft: this.polls };
    if (this.nextFailure) action.error = this.nextFailure;
    this.nextFailure = undefined;
    this.actions.set(id, action);
    return renderAction(action);
  }

  read(id: number): Json {
    const action = this.actions.get(id);
    if (!action) throw hetznerErrors.notFound('action');
    action.pollsLeft -= 1;
    return { action: renderAction(action) };
  }
}

function renderAction({ id, command, pollsLeft, error }: Action): Json {
  const ended = pollsLeft <= 0;
  return {
    id,
    command,
    status: ended ? (error ? 'error' : 'success') : 'running',
    progress: ended ? 100 : 50,
    started: now,
    finished: ended ? now : null,
    resources: [],
    error: ended ? (error ?? null) : null,
  };
}
