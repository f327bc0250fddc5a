import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { commands } from '../../../src/cli/commands/index.js';
import type { Context } from '../../../src/cli/context.js';
import { addExamples } from '../../../src/cli/examples.js';

/** The real commands, their help kept as text. */
function build() {
  const program = new Command('smtp-setup');
  const groups = commands.map((entry) => entry.register(program, {} as Context, () => undefined));
  addExamples(program, groups);
  return { program, groups };
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (more) => (text += more) }).outputHelp();
  return text;
}

const { program, groups } = build();
const leaves = program.commands.flatMap((one): [string, Command][] =>
  one.commands.length === 0
    ? [[one.name(), one]]
    : one.commands.map((sub) => [`${one.name()} ${sub.name()}`, sub]),
);

describe('examples', () => {
  it.each(leaves)('lead the help of %s', (name, command) => {
    expect(helpOf(command)).toMatch(new RegExp(`^Examples:\n {2}smtp-setup ${name.split(' ')[0]}`));
  });

  it('are of the command itself where it has some', () => {
    const [, rm] = leaves.find(([name]) => name === 'user rm') ?? ['', program];
    expect(helpOf(rm).split('\nUsage')[0]?.trim().split('\n').slice(1)).toEqual([
      '  smtp-setup user rm bob@example.org',
      '  smtp-setup user rm bob@example.org --delete-mail',
    ]);
  });

  it('all call a command that there is', () => {
    const known = new Set(program.commands.map((one) => one.name()));
    for (const line of groups.flat()) expect(known).toContain(line.split(' ')[1]);
  });
});
