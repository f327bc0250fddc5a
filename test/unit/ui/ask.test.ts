import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Asker } from '../../../src/config/asker.js';
import { Exit } from '../../../src/errors.js';
import { createPromptAsker } from '../../../src/ui/ask.js';
import { createIo } from '../../../src/ui/io.js';
import { captureStreams } from '../../helpers/streams.js';

const enterKey = '\r';
const ctrlC = '\u0003';

function atTerminal() {
  const streams = captureStreams({ tty: true });
  const controller = new AbortController();
  const asker: Asker = createPromptAsker(createIo(streams, {}), controller.signal);
  const shown = (): string => stripVTControlCharacters(streams.errText);
  return {
    asker,
    streams,
    controller,
    shown,
    /** Types once the text is on the screen: the real prompts drop what comes before they listen. */
    async type(after: string, keys: string) {
      while (!shown().includes(after)) await new Promise(setImmediate);
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
      streams.stdin.write(keys);
    },
  };
}

describe('the real prompts', () => {
  it('ask on stderr and leave stdout alone', async () => {
    const { asker, type, streams } = atTerminal();
    const answer = asker.text({ key: 'domain', message: 'Which domain?' });
    await type('Which domain?', `example.org${enterKey}`);
    expect(await answer).toBe('example.org');
    expect(streams.outText).toBe('');
  });

  it('take the suggestion on Enter', async () => {
    const { asker, type } = atTerminal();
    const answer = asker.text({ key: 'hostname', message: 'Host?', default: 'mail.example.org' });
    await type('mail.example.org', enterKey);
    expect(await answer).toBe('mail.example.org');
  });

  it('say what is wrong and ask again', async () => {
    const { asker, type } = atTerminal();
    const answer = asker.text({
      key: 'domain',
      message: 'Which?',
      validate: (value) => (value.includes('.') ? true : 'It has no dot.'),
    });
    await type('Which?', `org${enterKey}`);
    await type('It has no dot.', `.example${enterKey}`);
    expect(await answer).toBe('org.example');
  });

  it('never show a secret', async () => {
    const { asker, type, shown } = atTerminal();
    const answer = asker.secret({
      key: 'token',
      message: 'Token?',
      validate: async (value) => (value.startsWith('marker') ? true : 'wrong'),
    });
    await type('Token?', `marker-secret${enterKey}`);
    expect((await answer).reveal()).toBe('marker-secret');
    expect(shown()).not.toContain('marker');
  });

  it('ask for a refused secret from an empty line, and say why', async () => {
    const { asker, type } = atTerminal();
    const answer = asker.secret({
      key: 'token',
      message: 'Token?',
      validate: async (value) => (value === 'right' ? true : 'The provider refused it.'),
    });
    await type('Token?', `wrong${enterKey}`);
    await type('The provider refused it.', '');
    await type('Token?', `right${enterKey}`);
    expect((await answer).reveal()).toBe('right');
  });

  it('show above the question what helps with the answer', async () => {
    const { asker, type, shown } = atTerminal();
    const answer = asker.secret({ key: 'token', message: 'Token?', hint: 'Made at the panel.' });
    await type('Token?', `x${enterKey}`);
    await answer;
    expect(shown()).toMatch(/^ {2}Made at the panel\.\n[\s\S]*Token\?/);
  });

  it.each([
    ['y', false, true],
    ['n', true, false],
    ['', true, true],
    ['', false, false],
  ])('confirm: %j with default %j is %j', async (keys, preset, expected) => {
    const { asker, type } = atTerminal();
    const answer = asker.confirm({ key: 'apply', message: 'Apply?', default: preset });
    await type('Apply?', `${keys}${enterKey}`);
    expect(await answer).toBe(expected);
  });

  it('choose with the arrow keys', async () => {
    const { asker, type } = atTerminal();
    const answer = asker.choose({
      key: 'again',
      message: 'What now?',
      choices: [
        { value: 'mailbox', name: 'Add a mailbox' },
        { value: 'check', name: 'Check' },
      ],
    });
    await type('Add a mailbox', `\u001b[B${enterKey}`);
    expect(await answer).toBe('check');
  });

  it('turn Ctrl-C into one error with exit code 130', async () => {
    const { asker, type } = atTerminal();
    const answer = asker.text({ key: 'domain', message: 'Which?' }).catch((error: unknown) => error);
    await type('Which?', ctrlC);
    expect(await answer).toMatchObject({ code: 'E_CANCELLED', exit: Exit.cancelled, message: 'Cancelled.' });
  });

  it('end when the run is interrupted otherwise', async () => {
    const { asker, controller, shown } = atTerminal();
    const answer = asker
      .confirm({ key: 'apply', message: 'Apply?', default: true })
      .catch((error: unknown) => error);
    while (!shown().includes('Apply?')) await new Promise(setImmediate);
    controller.abort();
    expect(await answer).toMatchObject({ code: 'E_CANCELLED' });
  });
});
