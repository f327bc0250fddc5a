import { readFile } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { refuseLogin } from './failures.js';
import { type KnownHost, parseKnownHosts, readKeyType } from './known-hosts.js';

/** Reads the known_hosts files that exist. One that exists but cannot be read stops the login: it might hold a revocation. */
export async function loadKnownHosts(
  files: readonly string[],
  warn: (message: string) => void,
): Promise<KnownHost[]> {
  const entries: KnownHost[] = [];
  for (const file of files) {
    const text = await readOptional(file);
    if (text === undefined) continue;
    const parsed = parseKnownHosts(text, file);
    for (const warning of parsed.warnings) warn(warning);
    entries.push(...parsed.entries);
  }
  return entries;
}

/** The keys of a RevokedHostKeys file (one public key a line). A binary revocation list cannot be read: fail closed. */
export async function loadRevokedKeys(file: string | undefined): Promise<Buffer[]> {
  if (file === undefined) return [];
  const text = await readOptional(file);
  if (text === undefined || text.startsWith('SSHKRL')) {
    throw unreadable(
      file,
      text === undefined ? 'there is no such file' : 'it is a binary key revocation list',
    );
  }
  const keys: Buffer[] = [];
  for (const line of text.split('\n')) {
    const key = Buffer.from(line.trim().split(/\s+/)[1] ?? '', 'base64');
    if (readKeyType(key) !== undefined) keys.push(key);
  }
  return keys;
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw unreadable(file, messageOf(error));
  }
}

function unreadable(file: string, reason: string) {
  return refuseLogin({
    code: 'E_KNOWN_HOSTS_UNREADABLE',
    what: `${file} cannot be read, so the server's key cannot be checked.`,
    evidence: [reason],
    fix: ['Correct its owner and mode, or remove the option that names it.'],
  });
}
