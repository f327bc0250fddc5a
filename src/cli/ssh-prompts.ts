import type { Asker } from '../config/asker.js';
import type { Redactor } from '../config/redact.js';
import type { SshPrompts } from '../ssh/prompts.js';

/** The questions of an SSH login, put to the person at the terminal; none without one. */
export function createSshPrompts(asker: Asker, redactor: Redactor): Partial<SshPrompts> {
  if (!asker.interactive) return {};
  const askSecret = async (key: string, message: string): Promise<string | undefined> => {
    const secret = await asker.secret({ key, message });
    redactor.add(secret);
    return secret.reveal() === '' ? undefined : secret.reveal();
  };
  return {
    confirmHostKey: (host, fingerprint, keyType) =>
      asker.confirm({
        key: 'confirmHostKey',
        message: `First contact with ${host}. Its ${keyType} key is ${fingerprint}. Is it the right one?`,
        default: false,
        flag: '--host-key',
      }),
    passphrase: (file) => askSecret('passphrase', `Passphrase of ${file}?`),
    password: (user, host) => askSecret('sshPassword', `Password of ${user} on ${host}?`),
    sudoPassword: (user, host) => askSecret('sudoPassword', `sudo password of ${user} on ${host}?`),
    question: (host, text, echo) =>
      echo
        ? asker.text({ key: 'sshQuestion', message: `${host} asks: ${text}` })
        : askSecret('sshQuestion', `${host} asks: ${text}`),
  };
}
