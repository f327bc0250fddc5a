import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

/** A real terminal, driven by its keys and read by its screen. */
export interface TmuxTerminal {
  /** Text as typed. */
  type(text: string): void;
  /** Keys by tmux's names: `Enter`, `C-c`, `Down`. */
  press(key: string): void;
  /** The screen once it holds the text; fails with the screen when it never does. */
  waitFor(text: string | RegExp): Promise<string>;
  screen(): string;
  close(): void;
}

/** Runs a shell command in a terminal of its own, under a tmux server of its own. */
export function openTerminal(
  command: string,
  env: Readonly<Record<string, string>>,
  patienceMs = 60_000,
): TmuxTerminal {
  const socket = `smtp-setup-test-${randomBytes(6).toString('hex')}`;
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', TERM: 'xterm-256color', ...env },
    });
  tmux('new-session', '-d', '-x', '100', '-y', '40', `${command}; echo "exit code $?"; exec cat`);
  const screen = (): string => tmux('capture-pane', '-p', '-J').trimEnd();
  return {
    // A text may begin with a hyphen, as one token in 64 does.
    type: (text) => void tmux('send-keys', '-l', '--', text),
    press: (key) => void tmux('send-keys', key),
    screen,
    async waitFor(text) {
      const deadline = Date.now() + patienceMs;
      for (;;) {
        const now = screen();
        if (typeof text === 'string' ? now.includes(text) : text.test(now)) return now;
        if (Date.now() > deadline) throw new Error(`the screen never showed ${String(text)}:\n${now}`);
        await pause(50);
      }
    },
    close: () => void tmux('kill-server'),
  };
}
