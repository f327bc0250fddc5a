import type { Command } from 'commander';

/** The parsing half of a command: adds flags and arguments, turns what commander read into `O`, and hands it on. */
export interface CommandDefinition<O> {
  /** Shown first in `--help`. */
  examples: readonly string[];
  define(program: Command, run: (options: O) => Promise<void>): void;
}
