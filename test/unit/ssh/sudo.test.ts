import { describe, expect, it } from 'vitest';
import { createSudoDialogue, explainSudoFailure, readSudoWords } from '../../../src/ssh/sudo.js';

type Event = 'ready' | 'stderr' | 'closed';

/** Plays sudo: each entry is an event and, for stderr, what sudo has said by then. */
async function play(events: [Event, string?][], harmless = '') {
  const sent: string[] = [];
  let stderr = '';
  const dialogue = createSudoDialogue('pass word', 'id', 'M', harmless);
  const proceed = await dialogue.greet({
    send: (text) => void sent.push(text),
    get stderrSoFar() {
      return stderr;
    },
    async next() {
      const [event, text] = events.shift() ?? ['closed'];
      stderr = text ?? stderr;
      return event;
    },
  });
  return { sent, proceed, shutTooEarly: dialogue.shutTooEarly };
}

describe('the dialogue with sudo', () => {
  it('sends the password line alone, and the command only when root is ready', async () => {
    expect(await play([['stderr', '.bashrc noise'], ['stderr', '\nM-sudo\n'], ['ready']])).toEqual({
      sent: ['pass word\n', 'M:id\n'],
      proceed: true,
      shutTooEarly: false,
    });
  });

  it('sends nothing more once sudo has complained', async () => {
    const run = await play([['stderr', '\nM-sudo\nSorry, try again.\n'], ['ready']]);
    expect(run).toEqual({ sent: ['pass word\n'], proceed: false, shutTooEarly: true });
  });

  it('sends nothing more when sudo has ended', async () => {
    expect(await play([['closed']])).toEqual({ sent: ['pass word\n'], proceed: false, shutTooEarly: false });
  });

  it('takes a lecture that is known by now for no complaint', async () => {
    const run = await play(
      [['stderr', '\nM-sudo\nWe trust'], ['stderr', '\nM-sudo\nWe trust you.\n'], ['ready']],
      'We trust you.\n',
    );
    expect(run.proceed).toBe(true);
    const bad = await play(
      [['stderr', '\nM-sudo\nWe trust you.\nSorry, try again.\n'], ['ready']],
      'We trust you.\n',
    );
    expect(bad.proceed).toBe(false);
  });

  it('tells sudo’s words from those of the login shell', () => {
    expect(readSudoWords('motd\nM-sudo\nwords', 'M')).toBe('words');
    expect(readSudoWords('motd', 'M')).toBe('');
  });
});

describe('explainSudoFailure', () => {
  it.each([
    ['env: \u2018sudo\u2019: No such file or directory', false, 'E_SUDO_MISSING'],
    ['sudo: sorry, you must have a tty to run sudo', true, 'E_SUDO_TTY'],
    ['bob is not in the sudoers file.', true, 'E_SUDO_DENIED'],
    [
      'Sorry, user bob is not allowed to execute \u2018/usr/bin/sh\u2019 as root on vps.',
      true,
      'E_SUDO_DENIED',
    ],
    ["sudo: I'm sorry bob. I'm afraid I can't do that", true, 'E_SUDO_DENIED'],
    ['sudo gave user id 33', false, 'E_SUDO_NOT_ROOT'],
    ["error: unexpected argument '-p' found", true, 'E_SUDO_OPTIONS'],
    ['Sorry, try again.\nsudo: no password was provided', true, 'E_SUDO_PASSWORD'],
    ['sudo: Authentication failed, try again.', true, 'E_SUDO_PASSWORD'],
    ['sudo: a password is required', false, 'E_SUDO_FAILED'],
  ])('%s', (said, sentPassword, code) => {
    const error = explainSudoFailure('bob', 'vps', said, sentPassword);
    expect(error).toMatchObject({ code, exit: 2 });
    expect(error.evidence.length).toBeGreaterThan(0);
    expect(error.fix.length).toBeGreaterThan(0);
  });

  it('lets no control character of the server through', () => {
    const error = explainSudoFailure('bob', 'vps', 'bad \u001b[31mred\u0007', true);
    expect(error.evidence.join('')).toBe('bad red');
  });
});
