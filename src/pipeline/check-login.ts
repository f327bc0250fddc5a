import { libraryScript } from '../apply/library-script.js';
import { loadRunTexts } from '../apply/load-library.js';
import type { ProbeLogin } from '../checks/server/server-check.js';
import { Secret } from '../config/secret.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import { readSomeFacts } from '../facts/read-facts.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { shellQuote } from '../lib/shell-quote.js';
import type { Connection } from '../ssh/connection.js';
import type { Session } from './session.js';

/** Seconds after which the server removes the login by itself, whatever became of this client. */
const lifetime = 15 * 60;

const folder = '/run/smtp-setup/checks';

/**
 * Makes a mailbox on the server for one check, with a password that nobody else sees, and takes it away again however
 * `use` ends. Throws E_CHECK_LOGIN (exit 3) when the server makes none.
 */
export async function withCheckLogin<T>(
  { context }: Session,
  connection: Connection,
  domain: string,
  use: (login: ProbeLogin) => Promise<T>,
): Promise<T> {
  const { accounts } = await readSomeFacts(connection, ['accounts'], context.signal);
  const name = `smtp-setup-check-${Buffer.from(context.randomBytes(4)).toString('hex')}`;
  const script = await renderScript(name, domain, accounts.mapType);
  const file = `${folder}/${name}.sh`;
  const begun = await connection.exec(
    `umask 077; mkdir -p ${folder} && cat >${file} && exec /bin/sh ${file} begin`,
    { root: true, stdin: script, maxOutput: 64 * 1024 },
  );
  try {
    const password = /^password ([0-9a-f]{48})$/m.exec(begun.stdout)?.[1];
    if (password === undefined) {
      throw new SetupError({
        code: 'E_CHECK_LOGIN',
        exit: Exit.inconclusive,
        what: 'The server made no mailbox for the check.',
        evidence: [sanitizeLine(`${begun.stdout} ${begun.stderr}`.trim(), 400) || 'it said nothing'],
        fix: [
          'Run smtp-setup status, then smtp-setup apply. Without a login: smtp-setup check server --as-stranger',
        ],
      });
    }
    context.redactor.add(new Secret(password));
    return await use({ user: `${name}@${domain}`, password });
  } finally {
    await end(connection, file, (text) => context.io.say(text));
  }
}

async function renderScript(name: string, domain: string, mapType: string): Promise<string> {
  const { library } = await loadRunTexts();
  const call = (fn: string, ...more: string[]) =>
    [fn, ...[name, domain, mapType, ...more].map((argument) => shellQuote(argument))].join(' ');
  return libraryScript(library, [
    'case $1 in',
    `begin) ${call('check_login_begin', String(lifetime))} ;;`,
    `end) ${call('check_login_end')} ;;`,
    'esac',
  ]);
}

/** A lost connection is no reason to lose the verdicts: the server's timer ends the login then. */
async function end(connection: Connection, file: string, say: (text: string) => void): Promise<void> {
  try {
    const { code, stdout } = await connection.exec(`[ ! -e ${file} ] || exec /bin/sh ${file} end`, {
      root: true,
      maxOutput: 64 * 1024,
    });
    if (code === 0) return;
    say(`The mailbox of this check is still there: ${sanitizeLine(stdout, 300)}`);
  } catch (error) {
    say(
      `The server removes the mailbox of this check by itself, within ${lifetime / 60} minutes: ${messageOf(error)}`,
    );
  }
}
