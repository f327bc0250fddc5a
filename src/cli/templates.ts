import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { packageRoot } from '../lib/package-root.js';

/** Reads the eta templates: path under `templates/` without `.eta`, to text. */
export async function loadTemplates(root: string = packageRoot()): Promise<Map<string, string>> {
  return await readTree(join(root, 'templates'), (path) =>
    path.endsWith('.eta') ? path.slice(0, -4) : undefined,
  );
}

/** Reads the run library (`templates/run/`): file name to text. */
export async function loadRunLibrary(root: string = packageRoot()): Promise<Map<string, string>> {
  return await readTree(join(root, 'templates', 'run'), (path) => path);
}

async function readTree(
  folder: string,
  nameOf: (path: string) => string | undefined,
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    const name = nameOf(file.slice(folder.length + 1).replaceAll(sep, '/'));
    if (entry.isFile() && name !== undefined) texts.set(name, await readFile(file, 'utf8'));
  }
  return texts;
}
