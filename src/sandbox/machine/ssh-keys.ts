import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../run.js';

/** Fingerprint of an OpenSSH public key line, as `ssh-keygen -l` prints it (SHA256:…). */
export function fingerprintOf(publicKeyLine: string): string {
  const blob = Buffer.from(publicKeyLine.trim().split(/\s+/)[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Makes the host keys of a VPS unless its layer has some. Returns the fingerprint of the Ed25519 key. */
export async function ensureHostKeys(root: string): Promise<string> {
  for (const type of ['ed25519', 'ecdsa']) {
    const file = `/etc/ssh/ssh_host_${type}_key`;
    if (!existsSync(join(root, file))) await keygen(root, type, file, 'root@vps');
  }
  return fingerprintOf(await readFile(join(root, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8'));
}

/** Makes the lab's key pair (private part at `keyFile`) and lets it log in as root. */
export async function authorizeKey(root: string, keyFile: string): Promise<void> {
  const draft = '/root/.sandbox-key';
  await mkdir(join(root, 'root/.ssh'), { recursive: true, mode: 0o700 });
  await keygen(root, 'ed25519', draft, 'smtp-setup-sandbox');
  await writeFile(keyFile, await readFile(join(root, draft)), { mode: 0o600 });
  await writeFile(`${keyFile}.pub`, await readFile(join(root, `${draft}.pub`)));
  await rename(join(root, `${draft}.pub`), join(root, 'root/.ssh/authorized_keys'));
  await rm(join(root, draft));
}

// The image's own ssh-keygen, so that the machine itself needs none.
async function keygen(root: string, type: string, file: string, comment: string): Promise<void> {
  await run('chroot', [root, 'ssh-keygen', '-q', '-t', type, '-N', '', '-C', comment, '-f', file]);
}
