import { Exit, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import type { Connection } from '../ssh/connection.js';

/** Bytes: about half a million lines. The newest are kept. */
const maxJournal = 96 * 1024 * 1024;

// All three daemons log to the facility mail; what is about no message stays on the server.
const wanted = "grep -aE ' postfix/|rspamd_task_write_log|: lmtp\\('";

/** The mail log of the last `since` seconds, in the form that `parseLogLine` reads; one round trip. */
export async function readJournal(connection: Connection, since: number, now: number): Promise<string> {
  const from = Math.max(0, Math.floor(now - since));
  const command = `journalctl --facility=mail --since=@${from} -o short-unix -q --no-pager | ${wanted} | tail -c ${maxJournal}`;
  const { code, stdout, stderr } = await connection.exec(command, {
    root: true,
    maxOutput: maxJournal + 65_536,
  });
  if (code === 0 && !(stdout === '' && stderr.trim() !== '')) return stdout;
  throw unreadable(stderr);
}

/** Seconds after which a fresh one is begun: the connection keeps what a command printed. */
const followSeconds = 15 * 60;

/**
 * Hands on whole lines as they are logged, those of after `after` (seconds since 1970) first, until `signal` aborts
 * (AbortError) or the connection is lost.
 */
export async function followJournal(
  connection: Connection,
  after: number,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<never> {
  let last = after;
  for (;;) {
    const known = last;
    let rest = '';
    const decoder = new TextDecoder();
    // No filter behind it: a program in a pipe holds its output back until it has a block of it.
    const { code, stderr } = await connection.exec(
      `timeout ${followSeconds} journalctl --facility=mail -f --no-tail --since=@${Math.floor(last)} -o short-unix -q --no-pager`,
      {
        root: true,
        signal,
        maxOutput: maxJournal,
        onStdout(chunk) {
          const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
          rest = (lines.pop() ?? '').slice(0, 65_536);
          for (const line of lines) {
            const time = Number(line.slice(0, line.indexOf(' ')));
            // `--since` knows whole seconds only.
            if (!(time > known)) continue;
            last = time;
            onLine(line);
          }
        },
      },
    );
    if (code !== 124) throw unreadable(stderr);
  }
}

function unreadable(stderr: string): SetupError {
  return new SetupError({
    code: 'E_JOURNAL',
    exit: Exit.inconclusive,
    what: "The server's mail log cannot be read.",
    evidence: stderr.split('\n', 3).map((line) => sanitizeLine(line)),
    fix: ['Look at the server: journalctl --facility=mail'],
  });
}
