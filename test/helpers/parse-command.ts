import { Command } from 'commander';
import type { CommandDefinition } from '../../src/cli/commands/definition.js';

/** What a command line says, without running it. Rejects with commander's own error. */
export async function parseCommand<O>(
  definition: CommandDefinition<O>,
  argv: readonly string[],
): Promise<O | undefined> {
  let parsed: O | undefined;
  const program = new Command('smtp-setup').exitOverride().configureOutput({ writeErr: () => undefined });
  definition.define(program, async (options) => {
    parsed = options;
  });
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) command.exitOverride();
  await program.parseAsync(argv, { from: 'user' });
  return parsed;
}

/** The commands of a definition: `user add`, `status`. */
export function listCommands(definition: CommandDefinition<never>): string[] {
  const program = new Command('smtp-setup');
  definition.define(program, async () => undefined);
  return program.commands.flatMap((one) =>
    one.commands.length === 0 ? [one.name()] : one.commands.map((two) => `${one.name()} ${two.name()}`),
  );
}
