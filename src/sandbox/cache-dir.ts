import { homedir } from 'node:os';
import { join } from 'node:path';

/** The cache of images, layers and packages: `SMTP_SETUP_CACHE`, else `$XDG_CACHE_HOME/smtp-setup/sandbox`, else `~/.cache/…`. */
export function cacheDirFrom(env: Readonly<Record<string, string | undefined>>): string {
  if (env.SMTP_SETUP_CACHE) return env.SMTP_SETUP_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'smtp-setup', 'sandbox');
}
