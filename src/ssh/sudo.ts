import type { SetupError } from '../errors.js';
import type { ChannelTalk } from './channel.js';
import { refuseLogin } from './failures.js';
import { readableLines } from './printable.js';
import { renderRootOrder } from './remote-command.js';

/** How to become root on this connection. */
export type RootMode = 'root' | 'sudo' | 'sudo-password';

/** The dialogue with sudo -S; `harmless` is text that sudo printed in an earlier, successful try (its lecture). */
export interface SudoDialogue {
  greet(talk: ChannelTalk): Promise<boolean>;
  /** True when sudo printed something first and we closed stdin, though the password then proved right. */
  readonly shutTooEarly: boolean;
}

/**
 * Sends the password line, and only that, until the root shell has said it is ready: whatever else is sent, a sudo
 * that refused the password would take as the next attempt. At any word of complaint stdin is closed: one try only.
 */
export function createSudoDialogue(
  password: string,
  command: string,
  marker: string,
  harmless: string,
): SudoDialogue {
  let shutTooEarly = false;
  return {
    async greet(talk) {
      talk.send(`${password}\n`);
      for (;;) {
        const event = await talk.next();
        if (event === 'ready') {
          talk.send(renderRootOrder(command, marker));
          return true;
        }
        if (event === 'closed') return false;
        if (!harmless.startsWith(readSudoWords(talk.stderrSoFar, marker))) {
          shutTooEarly = true;
          return false;
        }
      }
    },
    get shutTooEarly() {
      return shutTooEarly;
    },
  };
}

/** What sudo itself wrote to stderr, without what the login shell wrote before it. */
export function readSudoWords(stderr: string, marker: string): string {
  const start = `\n${marker}-sudo\n`;
  const at = stderr.indexOf(start);
  return at < 0 ? '' : stderr.slice(at + start.length);
}

/** Explains a sudo that did not lead to a root shell. Its own words are evidence, never the only ground. */
export function explainSudoFailure(
  user: string,
  host: string,
  said: string,
  sentPassword: boolean,
): SetupError {
  const evidence = readableLines(said);
  const common = { evidence };
  if (/not found|No such file/i.test(said)) {
    return refuseLogin({
      code: 'E_SUDO_MISSING',
      what: `${user} is not root on ${host}, and sudo is not installed there.`,
      ...common,
      fix: ['Log in as root, or install sudo and give the user the right to use it.'],
    });
  }
  if (/must have a tty/i.test(said)) {
    return refuseLogin({
      code: 'E_SUDO_TTY',
      what: `sudo on ${host} insists on a terminal (requiretty).`,
      ...common,
      fix: [`Add "Defaults:${user} !requiretty" with visudo, or log in as root.`],
    });
  }
  if (/not in the sudoers|not allowed to|may not run sudo|afraid I can't do that/i.test(said)) {
    return refuseLogin({
      code: 'E_SUDO_DENIED',
      what: `${user} may not become root with sudo on ${host}.`,
      ...common,
      fix: [`On the server, as root: usermod -aG sudo ${user} (then log in again), or log in as root.`],
    });
  }
  if (/sudo gave user id/.test(said)) {
    return refuseLogin({
      code: 'E_SUDO_NOT_ROOT',
      what: `sudo on ${host} does not lead to root (user id 0).`,
      ...common,
      fix: ['Check runas_default in sudoers, or log in as root.'],
    });
  }
  if (/unrecognized option|invalid option|unexpected argument|usage:/i.test(said)) {
    return refuseLogin({
      code: 'E_SUDO_OPTIONS',
      what: `The sudo of ${host} does not understand the options -S -k -p.`,
      ...common,
      fix: [`Give ${user} a NOPASSWD rule for the time of the setup, or log in as root.`],
    });
  }
  if (sentPassword) {
    return refuseLogin({
      code: 'E_SUDO_PASSWORD',
      what: `sudo on ${host} did not accept the password of ${user}. It was tried once.`,
      ...common,
      fix: ['Run again with the right password, or log in as root.'],
    });
  }
  return refuseLogin({
    code: 'E_SUDO_FAILED',
    what: `sudo on ${host} did not give ${user} a root shell.`,
    ...common,
    fix: ['Try "sudo -n sh -c id" on the server, or log in as root.'],
  });
}

/** There is no password to give; `said` is how sudo refused to go without, which may have another reason. */
export function explainMissingPassword(user: string, host: string, said: string): SetupError {
  return said === '' || /password/i.test(said)
    ? passwordMissing(user, host)
    : explainSudoFailure(user, host, said, false);
}

function passwordMissing(user: string, host: string): SetupError {
  return refuseLogin({
    code: 'E_SUDO_PASSWORD_NEEDED',
    what: `${user} needs a password for sudo on ${host}, and there is none to give.`,
    fix: [
      'Run on a terminal to be asked for it, or give it in SMTP_SETUP_SUDO_PASSWORD (or …_FILE).',
      'Or allow sudo without a password, or log in as root.',
    ],
  });
}
