import { Chalk, type ChalkInstance } from 'chalk';
import type { Terminal } from './io.js';

/** Colours and marks for one output stream. */
export interface Style {
  readonly chalk: ChalkInstance;
  readonly mark: Readonly<Record<'done' | 'skip' | 'fail' | 'warn' | 'info' | 'wait' | 'unknown', string>>;
  /** Continuation bar before remote lines. */
  readonly bar: string;
  readonly ellipsis: string;
}

/** Judged per stream: stdout may be a file while stderr is a terminal. */
export function createStyle(terminal: Pick<Terminal, 'colorLevel' | 'unicode'>): Style {
  const chalk = new Chalk({ level: terminal.colorLevel });
  const pick = (unicode: string, ascii: string): string => (terminal.unicode ? unicode : ascii);
  return {
    chalk,
    mark: {
      done: chalk.green(pick('✔', '+')),
      skip: chalk.dim(pick('✔', '=')),
      fail: chalk.red(pick('✖', 'x')),
      warn: chalk.yellow(pick('▲', '!')),
      info: chalk.cyan(pick('●', '*')),
      wait: chalk.cyan(pick('…', '.')),
      unknown: chalk.dim('?'),
    },
    bar: chalk.dim(pick('│', '|')),
    ellipsis: pick('…', '...'),
  };
}
