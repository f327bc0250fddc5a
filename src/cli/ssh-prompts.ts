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
        message: `The ${keyType} key of ${host} is ${fingerprint}. Is it the right one?`,
        hint:
          "First contact with this server: compare its key with what the provider's panel shows, or log in at its " +
          'console and run: for k in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $k; done',
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
