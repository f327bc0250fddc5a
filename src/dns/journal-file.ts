import { mkdir, open, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Exit, SetupError } from '../errors.js';
import { formatRecord } from './canonical.js';
import type { DnsJournal, JournalEntry } from './journal.js';
import { appendLines, readLines } from './journal-lines.js';
import { withState } from './kept-state.js';
import { renderZoneFile } from './zone-file.js';

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** One folder per zone; the name is checked again, because it becomes a path. */
function folderOf(root: string, zone: string): string {
  if (!/^[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?$/.test(zone) || zone.includes('..')) {
    throw new SetupError({
      code: 'E_DNS_ZONE_NAME',
      exit: Exit.usage,
      what: 'The zone name cannot be used as a folder name.',
      evidence: [formatRecord({ name: zone, ttl: 0, data: { type: 'TXT', text: '' } })],
    });
  }
  return join(root, zone);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    return isCode(error, 'EPERM');
  }
}

async function holderOf(path: string): Promise<number | undefined> {
  try {
    const pid = Number.parseInt(await readFile(path, 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function lockFile(path: string, zone: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < 2; attempt++) {
    if (await tryLock(path)) return () => unlink(path);
    const holder = await holderOf(path);
    if (holder === undefined || isAlive(holder)) {
      throw new SetupError({
        code: 'E_DNS_BUSY',
        exit: Exit.busy,
        what: `Another smtp-setup is writing to the zone ${zone}.`,
        evidence: [`lock file: ${path}`, `process: ${holder ?? 'just starting'}`],
        fix: [
          'Wait until it has ended, then run this again.',
          'If that process is something else, delete the lock file.',
        ],
      });
    }
    // Renamed first: of two clients that find the same dead lock, one gets it and the other sees ENOENT.
    const stale = `${path}.stale-${process.pid}`;
    try {
      await rename(path, stale);
      await unlink(stale);
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
  throw new SetupError({
    code: 'E_DNS_BUSY',
    exit: Exit.busy,
    what: `Another smtp-setup has just begun to write to the zone ${zone}.`,
    evidence: [`lock file: ${path}`],
    fix: ['Wait until it has ended, then run this again.'],
  });
}

/** Journal and backups in `root/<zone>/`, folders 0700, files 0600, no secrets inside. */
export function openFileJournal(root: string): DnsJournal {
  const stateDir = dirname(root);
  const writing = <T>(zone: string, work: (folder: string) => Promise<T>): Promise<T> => {
    const path = folderOf(root, zone);
    return withState({ stateDir, path, to: 'write' }, async () => {
      await mkdir(path, { recursive: true, mode: 0o700 });
      return work(path);
    });
  };
  return {
    async append(zone, entries) {
      await writing(zone, (folder) => appendLines(join(folder, 'journal.jsonl'), entries));
    },
    async read(zone) {
      const path = join(folderOf(root, zone), 'journal.jsonl');
      return withState({ stateDir, path, to: 'read' }, () => readLines<JournalEntry>(path));
    },
    async saveZone(zone, at, records) {
      return writing(zone, async (folder) => {
        const base = join(folder, `zone-${at.toISOString().replace(/[:.]/g, '-')}`);
        const files: [string, string][] = [
          [`${base}.json`, `${JSON.stringify({ zone, at: at.toISOString(), records }, null, 2)}\n`],
          [`${base}.zone`, renderZoneFile(zone, records)],
        ];
        for (const [path, text] of files) await writeFile(path, text, { mode: 0o600, flush: true });
        return files.map(([path]) => path);
      });
    },
    async lock(zone) {
      const release = await writing(zone, (folder) => lockFile(join(folder, 'lock'), zone));
      return () => writing(zone, release);
    },
  };
}
