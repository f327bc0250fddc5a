import type { GivenFiles } from '../config/given-files.js';
import { readSecret } from '../config/read-secret.js';
import type { Redactor } from '../config/redact.js';
import type { Secret } from '../config/secret.js';
import type { GivenSecrets, SshPrompts } from '../ssh/prompts.js';
import type { Env } from '../ui/io.js';

/**
 * The secrets of an SSH login that stand in the environment (`NAME` or `NAME_FILE`), each given once: what did not fit
 * is asked for, or is the end of it.
 */
export async function readSshSecrets(
  { env, files, redactor }: { env: Env; files: GivenFiles; redactor: Redactor },
  prompts: Partial<SshPrompts>,
): Promise<GivenSecrets> {
  const read = async <Q extends string[]>(name: string, ask: Ask<Q> | undefined) => {
    const secret = await readSecret({ env, names: [name], files });
    if (secret === undefined) return undefined;
    redactor.add(secret);
    return giveOnce(secret, ask);
  };
  const password = await read('SMTP_SETUP_SSH_PASSWORD', prompts.password);
  const passphrase = await read('SMTP_SETUP_SSH_PASSPHRASE', prompts.passphrase);
  const sudoPassword = await read('SMTP_SETUP_SUDO_PASSWORD', prompts.sudoPassword);
  return {
    ...(password ? { password } : {}),
    ...(passphrase ? { passphrase } : {}),
    ...(sudoPassword ? { sudoPassword } : {}),
  };
}

type Ask<Q extends string[]> = (...question: Q) => Promise<string | undefined>;

function giveOnce<Q extends string[]>(secret: Secret, ask: Ask<Q> | undefined): Ask<Q> {
  const answered = new Set<string>();
  return async (...question) => {
    const key = question.join(' ');
    if (answered.has(key)) return ask?.(...question);
    answered.add(key);
    return secret.reveal();
  };
}
