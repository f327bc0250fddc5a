import { generateKeyPairSync } from 'node:crypto';
import { appendFile, chmod, chown, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../lock.js';
import { run } from '../run.js';
import { renderEchoProgram, startScript } from './echo-program.js';
import type { ReceiverNames } from './names.js';
import { mailRoot, mailUser, renderMainCf, renderMasterCf } from './postfix-config.js';
import { publicSuffixes, renderRspamdConf } from './rspamd-config.js';

export interface DkimKey {
  privatePem: string;
  /** The `p=` value of its DNS record. */
  publicBase64: string;
}

export function makeDkimKey(): DkimKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicBase64: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

export interface PrepareOptions extends ReceiverNames {
  ipv6: boolean;
  key: DkimKey;
  /** Directory with ca.pem and ca.key of the authority that signs its certificate; self-signed when absent. */
  caDirectory: string;
}

/** Writes a receiving mail server's whole configuration into the root of its host. */
export async function prepareReceiver(root: string, options: PrepareOptions): Promise<void> {
  await mkdir(join(root, 'lab/tls'), { recursive: true });
  await appendFile(
    join(root, 'etc/passwd'),
    `${mailUser.name}:x:${mailUser.id}:${mailUser.id}::/:/usr/sbin/nologin\n`,
  );
  await appendFile(join(root, 'etc/group'), `${mailUser.name}:x:${mailUser.id}:\n`);
  for (const folder of ['', 'inbox', 'inbox/new', 'inbox/cur', 'inbox/tmp']) {
    const path = join(root, mailRoot, folder);
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chown(path, mailUser.id, mailUser.id);
  }
  await writeFile(join(root, 'etc/postfix/main.cf'), renderMainCf(options));
  await writeFile(join(root, 'etc/postfix/master.cf'), renderMasterCf());
  await writeFile(join(root, 'lab/rspamd.conf'), renderRspamdConf(options));
  await writeFile(join(root, 'lab/public-suffix.dat'), `${publicSuffixes.join('\n')}\n`);
  await writeFile(join(root, 'lab/dkim.key'), options.key.privatePem, { mode: 0o600 });
  await writeFile(join(root, 'lab/echo.py'), renderEchoProgram(options.domain));
  await writeFile(join(root, 'lab/start.sh'), startScript);
  await chmod(join(root, 'lab/start.sh'), 0o755);
  await makeCertificate(root, options);
}

async function makeCertificate(root: string, { host, caDirectory }: PrepareOptions): Promise<void> {
  const tls = join(root, 'lab/tls');
  const signed = await copyAuthority(caDirectory, tls);
  await run('chroot', [
    root,
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-days', '3650', '-subj', `/CN=${host}`],
    ...(signed ? ['-CA', '/lab/tls/ca.pem', '-CAkey', '/lab/tls/ca.key'] : []),
    ...['-keyout', '/lab/tls/server.key', '-out', '/lab/tls/server.pem'],
    ...['-addext', `subjectAltName=DNS:${host}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
  await rm(join(tls, 'ca.key'), { force: true });
  if (!signed) await copyFile(join(tls, 'server.pem'), join(tls, 'ca.pem'));
}

async function copyAuthority(from: string, to: string): Promise<boolean> {
  try {
    for (const file of ['ca.pem', 'ca.key']) await copyFile(join(from, file), join(to, file));
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
