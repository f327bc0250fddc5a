import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { commands } from '../../../src/cli/commands/index.js';
import type { Context } from '../../../src/cli/context.js';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

/** Paths in back quotes; a bare file name continues in the folder of the path before it in the same line. */
function findPaths(line: string): string[] {
  const found: string[] = [];
  let folder: string | undefined;
  for (const [, quoted = ''] of line.matchAll(/`([^`\s]+)`/g)) {
    const path = quoted.replace(/[<*].*$/, '');
    if (/^(src|test|templates|scripts|docs)\//.test(path)) {
      folder = path.endsWith('/') ? path : dirname(path);
      found.push(path);
    } else if (folder !== undefined && /^[a-z0-9-]+\.ts$/.test(path)) found.push(join(folder, path));
  }
  return found;
}

it.each(pages)('%s names only files that exist', (page) => {
  const text = readFileSync(page, 'utf8');
  const paths = text.split('\n').flatMap(findPaths);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) =>
    join(dirname(page), link),
  );
  expect(links.filter((link) => !existsSync(link))).toEqual([]);
});

it('checks what the map page says, not an empty list', () => {
  const paths = readFileSync('docs/architecture.md', 'utf8').split('\n').flatMap(findPaths);
  expect(paths.length).toBeGreaterThan(40);
  expect(paths).toContain('src/config/validate.ts');
});

it('the day-two page calls only commands and flags that there are', () => {
  const program = new Command('smtp-setup');
  for (const entry of commands) entry.register(program, {} as Context, () => undefined);
  const lines = [
    ...readFileSync('docs/day-two.md', 'utf8').matchAll(/^.*?smtp-setup ([a-z].*?)(?: {2,}.*)?$/gm),
  ];
  const wrong = lines.flatMap(([line, call = '']) => {
    if (/^[A-Z`]/.test(line)) return [];
    const [name, second, ...rest] = call.split(' ');
    const command = program.commands.find((one) => one.name() === name);
    const leaf = command?.commands.find((one) => one.name() === second) ?? command;
    if (leaf === undefined || (command?.commands.length ?? 0) > 0 === (leaf === command)) return [call];
    const flags = [second, ...rest].filter((word) => word?.startsWith('--'));
    return flags.every((flag) => leaf.options.some(({ long }) => long === flag)) ? [] : [call];
  });
  expect(wrong).toEqual([]);
  expect(lines.length).toBeGreaterThan(20);
});
