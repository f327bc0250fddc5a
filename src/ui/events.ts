/** The two lanes that work side by side, and this machine's own doings. */
export type Lane = 'server' | 'dns' | 'local';

/** What happens while a plan is carried out: one stream, several listeners (terminal, plain lines, JSON, log file). */
export type ProgressEvent =
  | { kind: 'start'; lane: Lane; id: string; title: string }
  /** A line that the running step printed, on the server or here. */
  | { kind: 'line'; lane: Lane; id: string; text: string }
  | { kind: 'done'; lane: Lane; id: string; note?: string }
  /** Looked, and found it done already. */
  | { kind: 'skip'; lane: Lane; id: string; title: string; reason: string }
  /** `tail`: the last lines it printed. */
  | { kind: 'fail'; lane: Lane; id: string; message: string; tail?: readonly string[] }
  /** The running step waits for something that is not ours to hurry. */
  | { kind: 'wait'; lane: Lane; id: string; reason: string; etaSeconds?: number }
  /** Something worth a line of its own: reconnected, another run holds the lock, … */
  | { kind: 'notice'; level: 'info' | 'warn'; text: string };

export interface Progress {
  emit(event: ProgressEvent): void;
  /** Takes the live line away; before a prompt, at the end, and when something failed. */
  stop(): void;
}

/** Called every `ms` until the returned function is called; tests turn the hand themselves. */
export type Repeat = (ms: number, call: () => void) => () => void;

export const repeat: Repeat = (ms, call) => {
  const timer = setInterval(call, ms);
  timer.unref();
  return () => clearInterval(timer);
};
