import { Exit, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { shellQuote } from '../lib/shell-quote.js';
import { type TarEntry, writeTar } from '../lib/tar.js';
import type { CompiledRun } from '../plan/compile-runs.js';
import type { Connection } from '../ssh/connection.js';
import { busyError, readRunMeta } from './holder.js';
import type { RunTexts } from './load-library.js';

/**
 * Uploads a run and starts it as the transient unit whose name is the lock; one round trip. Asking again for a run
 * that was started already (the answer got lost) does no harm. Throws E_BUSY (exit 6) naming the holder, E_RUN_START.
 */
export async function startRun(connection: Connection, run: CompiledRun, texts: RunTexts): Promise<void> {
  const command = [
    'sh',
    '-c',
    shellQuote(texts.start),
    'start',
    shellQuote(run.id),
    run.installs ? '1' : '0',
  ].join(' ');
  const result = await connection.exec(command, { root: true, stdin: archiveOf(run) });
  const answer = /^@(started|busy|failed)(?: (.*))?$/m.exec(result.stdout);
  if (answer?.[1] === 'started') return;
  if (answer?.[1] === 'busy') throw busyError(await readRunMeta(connection, answer[2] ?? ''));
  throw new SetupError({
    code: 'E_RUN_START',
    exit: Exit.failed,
    what: 'The run could not be started; nothing was changed on the server by it.',
    evidence: [
      sanitizeLine(answer?.[2] ?? `exit status ${result.code ?? result.signal ?? 'unknown'}`),
      ...result.stderr
        .split('\n')
        .slice(-3)
        .map((line) => sanitizeLine(line))
        .filter((line) => line !== ''),
    ],
    fix: [
      'Check free space in /var and /run and that systemd-run works on the server, then run apply again.',
    ],
  });
}

/**
 * The upload: the run directory below `run/`; secrets below `secrets/`, which never leaves the server's tmpfs; and last
 * `complete`, by which the server sees that nothing was cut off.
 */
export function archiveOf(run: CompiledRun): Buffer {
  const files = run.files.map((file) => ({ ...file, path: `run/${file.path}` }));
  const secrets = run.secrets.map(({ name, value }) => ({
    path: `secrets/${name}`,
    mode: 0o600,
    content: value,
  }));
  return writeTar([...withDirectories([...files, ...secrets]), { path: 'complete', mode: 0o600 }]);
}

function withDirectories(entries: readonly TarEntry[]): TarEntry[] {
  const directories = new Set(['secrets/']);
  for (const { path } of entries) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1)
      directories.add(`${parts.slice(0, depth).join('/')}/`);
  }
  return [...[...directories].sort().map((path) => ({ path, mode: 0o700 })), ...entries];
}
