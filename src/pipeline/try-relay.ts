import { libraryScript } from '../apply/library-script.js';
import { loadRunTexts } from '../apply/load-library.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { shellQuote } from '../lib/shell-quote.js';
import type { ConfiguredRelay } from '../relay/relays-of.js';
import type { Connection } from '../ssh/connection.js';

export interface RelayStage {
  stage: 'connect' | 'tls' | 'login';
  ok: boolean;
  detail: string;
}

/** Logs in at the relay from the server, with the login that lies there, and leaves without a mail. Writes nothing. */
export async function tryRelay(
  connection: Connection,
  { name, relay }: ConfiguredRelay,
): Promise<RelayStage[]> {
  const { library } = await loadRunTexts();
  const file = `/etc/smtp-setup/relay/${name}`;
  const call = [file, relay.host, String(relay.port), relay.tls, relay.login.mechanisms.join(',')];
  const script = libraryScript(library, [
    `[ -e ${shellQuote(file)} ] || { printf 'login\\tno\\tthe server has no login for it\\n'; exit 3; }`,
    `relay_try ${call.map(shellQuote).join(' ')}`,
  ]);
  const { stdout } = await connection.exec('/bin/sh -s', { root: true, stdin: script, maxOutput: 64 * 1024 });
  return stdout.split('\n').flatMap((line) => {
    const [stage, result, detail = ''] = line.split('\t');
    if (stage !== 'connect' && stage !== 'tls' && stage !== 'login') return [];
    return [{ stage, ok: result === 'yes', detail: sanitizeLine(detail, 300) }];
  });
}
