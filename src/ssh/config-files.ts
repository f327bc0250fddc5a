import { readdir, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { messageOf } from '../errors.js';
import { type ConfigLine, parseConfigLines } from './config-lines.js';
import { matchesPatternList } from './patterns.js';

export interface LoadedConfig {
  lines: ConfigLine[];
  warnings: string[];
}

const MOST_NESTING = 16;
const MOST_BYTES = 1024 * 1024;

/**
 * Reads an ssh_config file with all that it includes. A missing file is empty; an unreadable one is a warning. Relative
 * Include paths start at `baseDir`, `~` is `homeDir`; patterns are expanded in name order as glob(7) does.
 */
export async function loadConfigFile(
  path: string,
  baseDir: string,
  homeDir: string,
  depth = 0,
): Promise<LoadedConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return { lines: [], warnings: missing ? [] : [`${path} cannot be read: ${messageOf(error)}`] };
  }
  if (text.length > MOST_BYTES) return { lines: [], warnings: [`${path} is too large; it was not read.`] };
  const { lines, warnings } = parseConfigLines(text, path);
  for (const line of lines.filter((one) => one.keyword === 'include')) {
    line.included = [];
    if (depth >= MOST_NESTING) {
      warnings.push(`${path}:${line.line} includes too deeply; it was skipped.`);
      continue;
    }
    for (const pattern of line.args) {
      for (const file of await expandGlob(resolvePath(pattern, baseDir, homeDir))) {
        const inner = await loadConfigFile(file, baseDir, homeDir, depth + 1);
        line.included.push(...inner.lines);
        warnings.push(...inner.warnings);
      }
    }
  }
  return { lines, warnings };
}

function resolvePath(path: string, baseDir: string, homeDir: string): string {
  if (path === '~' || path.startsWith('~/')) return join(homeDir, path.slice(1));
  return isAbsolute(path) ? path : join(baseDir, path);
}

async function expandGlob(pattern: string): Promise<string[]> {
  if (!/[*?]/.test(pattern)) return [pattern];
  let found = ['/'];
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    if (!/[*?]/.test(part)) {
      found = found.map((dir) => join(dir, part));
      continue;
    }
    const next: string[] = [];
    for (const dir of found) {
      for (const name of await listNames(dir)) {
        if (name.startsWith('.') && !part.startsWith('.')) continue;
        if (matchesPatternList([part], name)) next.push(join(dir, name));
      }
    }
    found = next;
  }
  return found;
}

async function listNames(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch {
    // A directory that is not there matches nothing, as in glob(3).
    return [];
  }
}
