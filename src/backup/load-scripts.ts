import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../lib/package-root.js';

/** A script of templates/backup/, as it runs on the server. */
export function loadBackupScript(name: 'collect' | 'receive'): Promise<string> {
  return readFile(join(packageRoot(), 'templates', 'backup', `${name}.sh`), 'utf8');
}
