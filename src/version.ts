import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './lib/package-root.js';

/** The package's own version, e.g. `0.1.0`. */
export function readVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new Error('package.json has no version');
}
