import type { WantedMailbox } from '../plan/plan-mailboxes.js';
import type { Io } from '../ui/io.js';

/** How far a change came: nothing of it happened, the server may do it whatever becomes of us, or it is done. */
export type ChangeState = 'none' | 'due' | 'done';

export interface OwedPasswords {
  /** What becomes of the change that gives the passwords to their mailboxes. */
  reach(state: ChangeState): void;
  /** The person has them. */
  shown(): void;
}

/**
 * Works while passwords that were made up here are owed to the person at the terminal. From the moment on that a mailbox
 * may have its password, they are shown however the work ends, and at Ctrl-C: a second one would be the end at once. They
 * go to the terminal alone, past the redactor; logs, errors and documents never have them from here.
 */
export async function owePasswords<T>(
  io: Pick<Io, 'say'>,
  signal: AbortSignal,
  owing: () => readonly WantedMailbox[],
  work: (owed: OwedPasswords) => Promise<T>,
): Promise<T> {
  let state: ChangeState | 'settled' = 'none';
  const tell = (): void => {
    if (state === 'none' || state === 'settled') return;
    const made = state === 'done' ? 'has this password' : 'has this password, or may get it';
    for (const { address, password } of owing())
      io.say(`The mailbox ${address} ${made}; it is not shown again:\n  ${password.reveal()}`);
    state = 'settled';
  };
  signal.addEventListener('abort', tell);
  try {
    return await work({
      reach(next) {
        if (state !== 'settled') state = next;
      },
      shown() {
        if (state !== 'none') state = 'settled';
      },
    });
  } finally {
    signal.removeEventListener('abort', tell);
    tell();
  }
}
