import { Exit, messageOf, SetupError } from '../errors.js';
import { shellQuote } from '../lib/shell-quote.js';

/**
 * Reads or writes what is kept on this machine, `path` in `stateDir`. Where the machine refuses, throws E_STATE_UNREADABLE
 * (exit 2: things are read before anything is changed) or E_STATE_UNWRITABLE (exit 1).
 */
export async function withState<T>(
  { stateDir, path, to }: { stateDir: string; path: string; to: 'read' | 'write' },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // Anything else is said well already, or a bug.
    if (!(error instanceof Error && 'syscall' in error && 'code' in error)) throw error;
    throw new SetupError({
      code: to === 'read' ? 'E_STATE_UNREADABLE' : 'E_STATE_UNWRITABLE',
      exit: to === 'read' ? Exit.usage : Exit.failed,
      what:
        to === 'read'
          ? 'What smtp-setup keeps on this machine, for undo, cannot be read.'
          : 'What undo needs cannot be kept on this machine.',
      evidence: [`${path}: ${messageOf(error)}`],
      fix: [remedyOf(error.code, stateDir), 'Then run the command again.'],
      cause: error,
    });
  }
}

function remedyOf(code: unknown, stateDir: string): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') return `Make room on the disk that holds ${stateDir}.`;
  const chown = `sudo chown -R "$(id -un)" ${shellQuote(stateDir)}`;
  return `See that you may read and write in ${stateDir}; what a command under sudo left there is root's (${chown}).`;
}
