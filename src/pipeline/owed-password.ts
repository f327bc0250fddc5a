import { mailboxStepId, type WantedMailbox } from '../plan/plan-mailboxes.js';
import type { Io } from '../ui/io.js';
import type { StepState } from './server-runs.js';

export interface OwedPassword {
  /** What becomes of the steps of the server's runs. */
  follow(stepId: string, state: StepState): void;
  /** The summary was printed; where it is a document, the password is not in it. */
  summarized(): void;
}

/**
 * Works while a password that was made up here is owed to the person at the terminal. From the moment on that a mailbox
 * may have it, it is shown however the work ends, and at Ctrl-C: a second one would be the end at once. It goes to the
 * terminal alone, past the redactor; logs, errors and documents never have it.
 */
export async function owePassword<T>(
  io: Pick<Io, 'say' | 'json'>,
  signal: AbortSignal,
  mailbox: WantedMailbox | undefined,
  work: (owed: OwedPassword) => Promise<T>,
): Promise<T> {
  let state: StepState | 'none' | 'settled' = 'none';
  const tell = (): void => {
    if (mailbox === undefined || state === 'none' || state === 'settled') return;
    const { address, password } = mailbox;
    const made = state === 'done' ? 'was made' : 'was made, or may still be';
    io.say(
      `The mailbox ${address} ${made}, with this password; it is not shown again:\n  ${password.reveal()}`,
    );
    state = 'settled';
  };
  const owed: OwedPassword = {
    follow(stepId, next) {
      if (mailbox === undefined || stepId !== mailboxStepId(mailbox.address)) return;
      if (state !== 'settled') state = next;
    },
    summarized() {
      if (state !== 'none' && !io.json) state = 'settled';
    },
  };
  signal.addEventListener('abort', tell);
  try {
    return await work(owed);
  } finally {
    signal.removeEventListener('abort', tell);
    tell();
  }
}
