import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { packageRoot } from '../lib/package-root.js';

/** Reads the eta templates: path under `templates/` without `.eta`, to text. */
export async function loadTemplates(root: string = packageRoot()): Promise<Map<string, string>> {
  const folder = join(root, 'templates');
  const texts = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.eta')) continue;
    const file = join(entry.parentPath, entry.name);
    const name = file.slice(folder.length + 1, -'.eta'.length).replaceAll(sep, '/');
    texts.set(name, await readFile(file, 'utf8'));
  }
  return texts;
}
