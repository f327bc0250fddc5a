import { afterEach, describe, expect, it } from 'vitest';
import { createRedactor } from '../../../src/config/redact.js';
import { Secret } from '../../../src/config/secret.js';
import type { Progress, ProgressEvent } from '../../../src/ui/events.js';
import { createIo, type Env, type IoOptions } from '../../../src/ui/io.js';
import { createProgress } from '../../../src/ui/progress/create-progress.js';
import { createPlainProgress } from '../../../src/ui/progress/plain.js';
import { createTtyProgress } from '../../../src/ui/progress/tty.js';
import { renderScreen } from '../../helpers/screen.js';
import { captureStreams } from '../../helpers/streams.js';

const install = { lane: 'server', id: 'install', title: 'Install 14 packages' } as const;
const address = { lane: 'dns', id: 'a', title: 'Write A mail.example.org' } as const;

let running: Progress | undefined;
afterEach(() => running?.stop());

function onTerminal(options: { columns?: number; env?: Env; verbose?: boolean } = {}) {
  let now = 0;
  const streams = captureStreams({ tty: true, columns: options.columns ?? 60 });
  const io = createIo(streams, { TERM: 'xterm', ...options.env }, { verbose: options.verbose ?? false });
  const progress = createTtyProgress(io, () => now);
  running = progress;
  return {
    progress,
    streams,
    screen: () => renderScreen(streams.errText),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

it('goes on without its log when the disk is full', async () => {
  const streams = captureStreams();
  const log = {
    path: '/state/apply.log',
    write() {
      throw new Error('ENOSPC: no space left on device, write');
    },
    close() {},
  };
  const progress = await createProgress(createIo(streams, {}), () => 0, createRedactor(), log);
  running = progress;
  progress.emit({ kind: 'start', ...install });
  progress.emit({ kind: 'done', ...install });
  expect(streams.errText.match(/ends here: ENOSPC/g)).toHaveLength(1);
  expect(streams.errText).toContain('Install 14 packages');
});

describe('on a terminal', () => {
  it('leaves ended steps as lines and redraws only what runs', () => {
    const { progress, screen, pass } = onTerminal();
    progress.emit({ kind: 'start', ...install });
    pass(48_000);
    progress.emit({ kind: 'done', ...install });
    progress.emit({ kind: 'start', ...address });
    progress.emit({
      kind: 'skip',
      lane: 'server',
      id: 'x',
      title: 'Make the DKIM key',
      reason: 'there already',
    });
    const lines = screen();
    expect(lines.slice(0, 2)).toEqual(['✔ Install 14 packages 48s', '✔ Make the DKIM key  there already']);
    expect(lines[2]).toMatch(/^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Write A mail\.example\.org 0s$/);
    progress.emit({ kind: 'done', ...address, note: 'created' });
    progress.stop();
    expect(screen().filter((line) => line !== '')).toEqual([
      '✔ Install 14 packages 48s',
      '✔ Make the DKIM key  there already',
      '✔ Write A mail.example.org  created',
    ]);
  });

  it('shows both lanes with elapsed time and the last line, cut to the width', () => {
    const { progress, screen, pass } = onTerminal({ columns: 50 });
    progress.emit({ kind: 'start', ...install });
    progress.emit({ kind: 'start', ...address });
    pass(5000);
    progress.emit({ kind: 'line', ...install, text: 'Setting up dovecot-core (1:2.3.19.1+dfsg1-2.1)' });
    progress.emit({ kind: 'notice', level: 'info', text: 'reconnected' });
    const [notice, first, second] = screen();
    expect(notice).toBe('● reconnected');
    expect(first).toMatch(/^\S Install 14 packages 5s {2}Setting up dovecot-co…$/);
    expect(first?.length).toBeLessThanOrEqual(50);
    expect(second).toMatch(/^\S Write A mail\.example\.org 5s$/);
  });

  it('says what is waited for, how long about, and when a step is silent', () => {
    const { progress, screen, pass, streams } = onTerminal({ columns: 100 });
    const redrawn = (): string => {
      progress.emit({ kind: 'notice', level: 'info', text: '-' });
      return (
        screen()
          .filter((line) => line !== '')
          .at(-1) ?? ''
      );
    };
    progress.emit({ kind: 'start', ...install });
    progress.emit({ kind: 'line', ...install, text: 'Unpacking' });
    pass(11_000);
    expect(redrawn()).toContain('still waiting… Unpacking');
    progress.emit({ kind: 'wait', ...install, reason: 'for the apt lock', etaSeconds: 90 });
    pass(30_000);
    expect(redrawn()).toContain('for the apt lock, about 1m00s');
    expect(streams.outText).toBe('');
  });

  it('keeps the last 20 lines of a failure', () => {
    const { progress, screen } = onTerminal();
    progress.emit({ kind: 'start', ...install });
    const tail = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    progress.emit({ kind: 'fail', ...install, message: 'apt-get ended with 100', tail });
    progress.stop();
    const lines = screen();
    expect(lines.slice(0, 3)).toEqual(['✖ Install 14 packages', '  apt-get ended with 100', '  │ line 10']);
    expect(lines).toContain('  │ line 29');
  });

  it('streams every line under --verbose', () => {
    const { progress, screen } = onTerminal({ verbose: true });
    progress.emit({ kind: 'start', ...install });
    progress.emit({ kind: 'line', ...install, text: 'Unpacking' });
    expect(screen()[0]).toBe('  │ Unpacking');
  });

  it('uses ASCII where Unicode is not safe', () => {
    const { progress, streams } = onTerminal({ env: { LANG: 'C', NO_COLOR: '1' } });
    progress.emit({ kind: 'start', ...install });
    progress.emit({ kind: 'done', ...install });
    progress.emit({ kind: 'notice', level: 'warn', text: 'careful' });
    progress.stop();
    expect(streams.errText).not.toMatch(/[^\u0000-\u007f]/);
    expect(renderScreen(streams.errText).slice(0, 2)).toEqual(['+ Install 14 packages', '! careful']);
  });

  it('shows the cursor again when it stops', () => {
    const { progress, streams } = onTerminal();
    progress.emit({ kind: 'start', ...install });
    progress.stop();
    expect(streams.errText.lastIndexOf('\u001b[?25h')).toBeGreaterThan(
      streams.errText.lastIndexOf('\u001b[?25l'),
    );
  });
});

describe('off a terminal', () => {
  it('says when a step begins and ends, and gives a sign of life a minute', () => {
    let now = 0;
    let beat = (): void => undefined;
    let stopped = false;
    const streams = captureStreams();
    const progress = createPlainProgress(
      createIo(streams, {}),
      () => now,
      (ms, call) => {
        expect(ms).toBe(60_000);
        beat = call;
        return () => {
          stopped = true;
        };
      },
    );
    progress.emit({ kind: 'start', ...install });
    progress.emit({ kind: 'line', ...install, text: 'Unpacking' });
    now += 60_000;
    beat();
    progress.emit({ kind: 'wait', ...install, reason: 'for the apt lock', etaSeconds: 5 });
    progress.emit({ kind: 'done', ...install, note: '14 new' });
    beat();
    progress.emit({ kind: 'skip', ...address, reason: 'there already' });
    progress.emit({ kind: 'start', ...address });
    progress.emit({ kind: 'fail', ...address, message: 'refused', tail: ['last words'] });
    progress.emit({ kind: 'notice', level: 'warn', text: 'careful' });
    progress.stop();
    expect(streams.errText.split('\n')).toEqual([
      '[server] Install 14 packages',
      '[server] still at it after 1m00s: Install 14 packages (Unpacking)',
      '[server] waiting: for the apt lock, about 5s',
      '[server] done: Install 14 packages, 14 new (1m00s)',
      '[dns] nothing to do: Write A mail.example.org, there already',
      '[dns] Write A mail.example.org',
      '[dns] FAILED: Write A mail.example.org (0s): refused',
      '[dns]   last words',
      'warning: careful',
      '',
    ]);
    expect([streams.outText, stopped]).toEqual(['', true]);
  });
});

describe('createProgress', () => {
  const start: ProgressEvent = { kind: 'start', ...install };

  async function emitAll(events: readonly ProgressEvent[], env: Env, options: IoOptions, tty = false) {
    const streams = captureStreams({ tty });
    const redactor = createRedactor();
    redactor.add(new Secret('marker-secret'));
    const logged: string[] = [];
    const log = { path: 'x', write: (text: string) => logged.push(text), close: () => undefined };
    const progress = await createProgress(createIo(streams, env, options), () => 0, redactor, log);
    for (const event of events) progress.emit(event);
    progress.stop();
    return { streams, logged };
  }

  it('writes one JSON event a line to stderr under --json', async () => {
    const { streams } = await emitAll(
      [start, { kind: 'line', ...install, text: 'quiet' }],
      {},
      { json: true },
      true,
    );
    expect(streams.outText).toBe('');
    expect(
      streams.errText
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([{ time: '1970-01-01T00:00:00.000Z', ...start }]);
  });

  it('takes plain lines on a dumb terminal', async () => {
    const { streams } = await emitAll([start], { TERM: 'dumb' }, {}, true);
    expect(streams.errText).toBe('[server] Install 14 packages\n');
  });

  it.each([
    ['plain', {}, { verbose: true }, false],
    ['JSON', {}, { json: true, verbose: true }, false],
    ['a terminal', { TERM: 'xterm', NO_COLOR: '1' }, { verbose: true }, true],
  ])('lets neither secrets nor control characters through to %s', async (_where, env, options, tty) => {
    const evil = 'a\u001b]0;owned\u0007b\u202ec\u009b31md\nmarker-secret';
    const { streams, logged } = await emitAll(
      [
        start,
        { kind: 'line', ...install, text: evil },
        { kind: 'wait', ...install, reason: evil },
        { kind: 'fail', ...install, message: evil, tail: [evil] },
        { kind: 'notice', level: 'warn', text: evil },
      ],
      env,
      options,
      tty,
    );
    const text = streams.errText + logged.join('\n');
    expect(text).not.toContain('marker-secret');
    expect(text).not.toContain('owned');
    expect(text).not.toMatch(/[\u0007\u202e\u009b]/);
    // On a terminal only the renderer's own cursor movements are left, and they are all the screen understands.
    if (tty) renderScreen(streams.errText);
    else expect(text).not.toContain('\u001b');
    expect(logged.join('\n')).toContain('server install | a');
  });
});
