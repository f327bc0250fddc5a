/** Members of a backup, in order: who it is, what the laptop knows, what the server holds, and the proof that it is whole. */
export const headerPath = 'backup.json';
export const configPath = 'client/smtp-setup.yaml';
export const lockPath = 'client/smtp-setup.lock.json';
export const checksumPath = 'checksum';

/** What the server's part may hold: lists, additions, keys, certificates, secrets, mail. Nothing else is ever unpacked. */
const allowed = [
  /^server$/,
  /^server\/(lists|local|relay|dkim|certs|letsencrypt|mail)$/,
  /^server\/lists\/[a-z][a-z0-9-]*$/,
  /^server\/(local|relay)\/[A-Za-z0-9._-]+$/,
  /^server\/dkim\/[a-z0-9.-]+\.key$/,
  /^server\/certs(\/issued-[0-9A-F]{16}(\/(fullchain|privkey)\.pem)?|\/next\.pem|\/in-use)$/,
  /^server\/letsencrypt(\/(accounts|archive|renewal)(\/[A-Za-z0-9._@:-]+)*|\/lineages)$/,
  /^server\/srs-secret$/,
  /^server\/mail(\/.*)?$/,
  /^server\/mail-links$/,
];

export function isServerPath(path: string): boolean {
  return allowed.some((pattern) => pattern.test(path));
}

/** The file's name when only a directory was named: `mail.example.org-20261124T101500Z.tar.gpg`. */
export function backupFileName(hostname: string, now: number, extension: string): string {
  const stamp = new Date(now).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  return `${hostname}-${stamp}.${extension}`;
}
