import type { Command } from 'commander';

/**
 * Leads the help of each command with the examples that call it, and that of a word above it with all of them; the
 * program's own help has the first of each command.
 */
export function addExamples(program: Command, groups: readonly (readonly string[])[]): void {
  const first = groups.flatMap((lines) => lines.slice(0, 1));
  program.addHelpText('before', examplesText(first));
  for (const command of program.commands) {
    const lines = groups.flat().filter((line) => calls(line, [command.name()]));
    addTo(command, lines, [command.name()]);
  }
}

function addTo(command: Command, lines: readonly string[], path: readonly string[]): void {
  command.addHelpText('before', examplesText(lines));
  for (const sub of command.commands) {
    const own = lines.filter((line) => calls(line, [...path, sub.name()]));
    addTo(sub, own.length > 0 ? own : lines, [...path, sub.name()]);
  }
}

function calls(line: string, path: readonly string[]): boolean {
  return `${line} `.startsWith(`smtp-setup ${path.join(' ')} `);
}

function examplesText(examples: readonly string[]): string {
  if (examples.length === 0) return '';
  return `Examples:\n${examples.map((line) => `  ${line}`).join('\n')}\n`;
}
