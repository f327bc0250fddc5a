import { isIP } from 'node:net';
import { lostConnection } from './failures.js';
import { refuseShell } from './shell-check.js';
import type { Ssh2Connection } from './ssh2-connection.js';

// `sudo -n` runs what exec will run, so that a rule for single commands is not taken for a right to everything.
const QUESTIONS = `
printf 'uid=%s\\n' "$(id -u)"
printf 'peer=%s\\n' "\${SSH_CONNECTION:-}"
if [ "$(id -u)" != 0 ]; then printf 'sudo=%s\\n' "$(sudo -n sh -c 'id -u' 2>&1 | tail -n 1)"; fi
`;

/** First command on a new connection: do commands run, who are we, how does one become root. */
export async function handshake(connection: Ssh2Connection, signal?: AbortSignal): Promise<void> {
  const outcome = await connection.probe(QUESTIONS, signal);
  if (outcome.unfinished) throw lostConnection(connection.target.host, undefined);
  const uid = /^uid=([0-9]+)$/m.exec(outcome.stdout)?.[1];
  if (!outcome.ready || uid === undefined) throw refuseShell(connection.target, outcome);
  if (uid === '0') connection.rootMode = 'root';
  else {
    const said = /^sudo=(.*)$/m.exec(outcome.stdout)?.[1] ?? '';
    connection.rootMode = said === '0' ? 'sudo' : 'sudo-password';
    connection.sudoRefusal = said;
  }
  // Behind a jump host there is no socket of ours; the server knows at which address it was reached.
  const peer = /^peer=\S+ \S+ (\S+) \S+$/m.exec(outcome.stdout)?.[1] ?? '';
  if (connection.remoteAddress === '' && isIP(peer) !== 0) connection.remoteAddress = peer;
}
