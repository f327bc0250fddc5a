import { shellQuote } from '../lib/shell-quote.js';
import { encodeForPrintf } from './encode-command.js';

// Linux refuses a single argument above 128 KiB (MAX_ARG_STRLEN), and the login shell gets the command as one.
const LONGEST = 120_000;

/**
 * The line to send for a POSIX sh command: whatever the login shell is (sh, csh, fish, restricted), it starts sh,
 * which first prints the marker on both outputs and then evaluates the command. A locale that is named on the server but
 * not installed has perl complain on stderr, and another language changes what is read here: C is everywhere.
 */
export function renderExecLine(command: string, marker: string): string {
  const line = `sh -c 'export LC_ALL=C;printf "\\n%s\\n" ${marker};printf "\\n%s\\n" ${marker} >&2;eval "$(printf %b "${encodeForPrintf(command)}")"'`;
  if (line.length > LONGEST)
    throw new RangeError('The command is too long for an argument: send it on stdin to sh -s');
  return line;
}

/**
 * The line that starts the root shell through sudo. Its text is always the same, so that sudo's log shows nothing of the
 * commands. It prints the marker once it is root, and then obeys the first line that begins with `marker:`; any
 * other line is dropped, so a password that sudo did not want to read can never be executed.
 */
export function renderSudoLine(marker: string, withPassword: boolean): string {
  const helper = [
    'export LC_ALL=C',
    'u=$(id -u)',
    '[ "$u" = 0 ] || { echo "sudo gave user id $u" >&2; exit 1; }',
    `printf "\\n%s\\n" ${marker}`,
    `printf "\\n%s\\n" ${marker} >&2`,
    `while IFS= read -r l; do case $l in ${marker}:*) eval "$(printf %b "\${l#*:}")"; exit;; esac; done`,
    'exit 1',
  ].join('\n');
  // sudo-rs and sudo both understand these options; messages in English make the evidence searchable.
  const flags = withPassword ? "-S -k -p ''" : '-n';
  const command = `printf "\\n%s-sudo\\n" ${marker} >&2;exec env LC_ALL=C sudo ${flags} sh -c ${shellQuote(helper)}`;
  return `sh -c 'eval "$(printf %b "${encodeForPrintf(command)}")"'`;
}

/** The line that the root shell waits for. */
export function renderRootOrder(command: string, marker: string): string {
  return `${marker}:${encodeForPrintf(command)}\n`;
}
