import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

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
