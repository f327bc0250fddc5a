import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Exit, messageOf, SetupError } from '../errors.js';
import type { HostKeyReport } from './host-key.js';
import { hashHostName, lookupHostKey, parseKnownHosts } from './known-hosts.js';

/** The known_hosts line for a key; `salt` (20 bytes) hashes the name as HashKnownHosts does. */
export function renderKnownHostsLine(
  report: Pick<HostKeyReport, 'name' | 'keyType' | 'key'>,
  salt?: Uint8Array,
): string {
  const name = salt
    ? `|1|${Buffer.from(salt).toString('base64')}|${hashHostName(report.name, salt).toString('base64')}`
    : report.name;
  return `${name} ${report.keyType} ${report.key.toString('base64')}\n`;
}

/**
 * Files a host key in known_hosts, once the person agreed; false when it was there already. The file is made with mode
 * 0600 if need be; the line goes in with one append, so that an ssh that writes at the same moment loses nothing and
 * a symbolic link stays one.
 */
export async function rememberHostKey(report: HostKeyReport): Promise<boolean> {
  try {
    await mkdir(dirname(report.file), { recursive: true, mode: 0o700 });
    const handle = await open(report.file, 'a+', 0o600);
    try {
      const text = await handle.readFile('utf8');
      const { entries } = parseKnownHosts(text, report.file);
      if (lookupHostKey(entries, [report.name], report.key).status === 'known') return false;
      const line = renderKnownHostsLine(report, report.hashNames ? randomBytes(20) : undefined);
      await handle.appendFile(text === '' || text.endsWith('\n') ? line : `\n${line}`);
      await handle.sync();
      return true;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new SetupError({
      code: 'E_KNOWN_HOSTS_WRITE',
      exit: Exit.failed,
      what: `The host key could not be filed in ${report.file}.`,
      evidence: [messageOf(error)],
      fix: [`Add the line yourself: ${renderKnownHostsLine(report).trimEnd()}`],
      cause: error,
    });
  }
}
