import { describe, expect, it } from 'vitest';
import { createIo, type Env } from '../../../src/ui/io.js';
import { captureStreams } from '../../helpers/streams.js';

const level = (env: Env, tty: boolean, noColor = false): number =>
  createIo(captureStreams({ tty }), env, { noColor }).out.colorLevel;

describe('colours', () => {
  it.each<[string, Env, boolean, number]>([
    ['a terminal has them', { TERM: 'xterm' }, true, 1],
    ['256 by TERM', { TERM: 'xterm-256color' }, true, 2],
    ['true colour by COLORTERM', { TERM: 'xterm', COLORTERM: 'truecolor' }, true, 3],
    ['a pipe has none', { TERM: 'xterm-256color' }, false, 0],
    ['a dumb terminal has none', { TERM: 'dumb' }, true, 0],
    ['NO_COLOR takes them away', { TERM: 'xterm', NO_COLOR: '1' }, true, 0],
    ['whatever NO_COLOR says', { TERM: 'xterm', NO_COLOR: '0' }, true, 0],
    ['but not when it is empty', { TERM: 'xterm', NO_COLOR: '' }, true, 1],
    ['FORCE_COLOR brings them to a pipe', { FORCE_COLOR: '1' }, false, 1],
    ['FORCE_COLOR=3', { FORCE_COLOR: '3' }, false, 3],
    ['FORCE_COLOR=0', { FORCE_COLOR: '0', TERM: 'xterm' }, true, 0],
    ['NO_COLOR wins over FORCE_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, true, 0],
  ])('%s', (_what, env, tty, expected) => {
    expect(level(env, tty)).toBe(expected);
  });

  it('--no-color takes them away', () => {
    expect(level({ FORCE_COLOR: '1', TERM: 'xterm' }, true, true)).toBe(0);
  });

  it('are judged per stream', () => {
    const streams = captureStreams({ tty: true });
    const mixed = createIo({ ...streams, stdout: captureStreams().stdout }, { TERM: 'xterm' });
    expect([mixed.out.colorLevel, mixed.err.colorLevel]).toEqual([0, 1]);
  });
});

describe('what a stream can show', () => {
  it.each<[Env, boolean]>([
    [{}, true],
    [{ LANG: 'de_DE.UTF-8' }, true],
    [{ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, false],
    [{ LANG: 'POSIX' }, false],
    [{ LANG: 'C.utf8', TERM: 'linux' }, false],
  ])('unicode with %j', (env, expected) => {
    expect(createIo(captureStreams({ tty: true }), env).err.unicode).toBe(expected);
  });

  it('width: the terminal’s, at most 100, else 80', () => {
    expect(createIo(captureStreams({ tty: true, columns: 60 }), {}).out.width).toBe(60);
    expect(createIo(captureStreams({ tty: true, columns: 300 }), {}).out.width).toBe(100);
    expect(createIo(captureStreams({ columns: 60 }), {}).out.width).toBe(80);
  });

  it('redraws only on a terminal that is not dumb', () => {
    expect(createIo(captureStreams({ tty: true }), { TERM: 'dumb' }).err.canRedraw).toBe(false);
    expect(createIo(captureStreams(), { TERM: 'xterm' }).err.canRedraw).toBe(false);
  });
});

describe('canPrompt', () => {
  it.each<[Env, boolean, boolean]>([
    [{}, true, true],
    [{ CI: 'true' }, true, false],
    [{ CI: 'false' }, true, true],
    [{ CI: '' }, true, true],
    [{}, false, false],
  ])('%j on a terminal: %j → %j', (env, tty, expected) => {
    expect(createIo(captureStreams({ tty }), env).canPrompt).toBe(expected);
  });

  it('needs stdin and stderr, not stdout', () => {
    const streams = captureStreams({ tty: true });
    expect(createIo({ ...streams, stdout: captureStreams().stdout }, {}).canPrompt).toBe(true);
    expect(createIo({ ...streams, stdin: captureStreams().stdin }, {}).canPrompt).toBe(false);
  });
});

describe('the streams', () => {
  it('keep results on stdout, words on stderr, and results away under --json', () => {
    const streams = captureStreams();
    const io = createIo(streams, {});
    io.print('result');
    io.say('word\n');
    expect([streams.outText, streams.errText]).toEqual(['result\n', 'word\n']);
    const json = captureStreams();
    createIo(json, {}, { json: true }).print('result');
    expect(json.outText).toBe('');
  });

  it('survive a reader that closes the pipe, and remember any other error', () => {
    const streams = captureStreams();
    const io = createIo(streams, {});
    streams.stdout.emit('error', Object.assign(new Error('closed'), { code: 'EPIPE' }));
    expect(io.out.failure).toBeUndefined();
    streams.stdout.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }));
    expect(io.out.failure?.message).toBe('full');
  });
});
