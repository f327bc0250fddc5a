import { userInfo } from 'node:os';

/** Who runs this on this machine. */
export interface LocalUser {
  name: string;
  uid: number;
  homeDir: string;
}

type Look = () => { username: string; uid: number; homedir: string };

/**
 * The user and the home directory: `HOME` before the system's list of users. A container may run with a uid that is not
 * in that list (`docker run -u 1001`): then it is called what `USER` or `LOGNAME` say, else its number.
 */
export function readLocalUser(
  env: { readonly [name in 'HOME' | 'USER' | 'LOGNAME']?: string | undefined },
  look: Look = userInfo,
): LocalUser {
  try {
    const { username, uid, homedir } = look();
    return { name: username, uid, homeDir: env.HOME || homedir };
  } catch (error) {
    if (!isUnlisted(error)) throw error;
    const uid = process.getuid?.() ?? -1;
    return { name: env.USER || env.LOGNAME || String(uid), uid, homeDir: env.HOME || '/' };
  }
}

function isUnlisted(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'uv_os_get_passwd';
}
