import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { main } from '../../../src/main.js';
import { captureStreams } from '../../helpers/streams.js';

describe('main', () => {
  it('prints the package’s version', async () => {
    const streams = captureStreams();
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await main(['--version'], {}, streams)).toBe(0);
    expect(streams.outText).toBe(`${version}\n`);
  });

  it('turns a usage error into exit code 2, words on stderr, and nothing on stdout', async () => {
    const streams = captureStreams();
    expect(await main(['--nonsense'], {}, streams)).toBe(2);
    expect(streams.outText).toBe('');
    expect(streams.errText).toContain("unknown option '--nonsense' [E_USAGE]");
    expect(streams.errText).not.toContain('\u001b');
  });

  it('prints an error as the one JSON document under --json', async () => {
    const streams = captureStreams();
    expect(await main(['--nonsense', '--json'], {}, streams)).toBe(2);
    expect(JSON.parse(streams.outText)).toMatchObject({ ok: false, exit: 2, error: { code: 'E_USAGE' } });
  });

  it.each([[], ['sandbox'], ['user']])(
    'prints one document under --json when the command is missing: %j',
    async (...argv) => {
      const streams = captureStreams();
      expect(await main([...argv, '--json'], {}, streams)).toBe(2);
      expect(JSON.parse(streams.outText)).toMatchObject({ ok: false, exit: 2, error: { code: 'E_USAGE' } });
      expect(streams.errText).toContain('Usage: smtp-setup');
    },
  );

  it('does not call a run good whose result could not be written', async () => {
    const streams = captureStreams();
    const { stdin, stderr } = streams;
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(new Error('ENOSPC: no space left on device')),
    });
    expect(await main(['--version'], {}, { stdin, stdout, stderr })).toBe(1);
    expect(streams.errText).toBe('The output could not be written: ENOSPC: no space left on device\n');
  });

  it('strips control characters from what it repeats', async () => {
    const streams = captureStreams({ tty: true });
    await main(['--bad\u001b]0;title\u0007\u202eflag'], { NO_COLOR: '1' }, streams);
    expect(streams.errText).toContain('--badflag');
    expect(streams.errText).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  it.each([
    ['a rejection that nobody handles', () => void Promise.reject(new Error('adrift'))],
    [
      'an exception of a callback',
      () =>
        setImmediate(() => {
          throw new Error('adrift');
        }),
    ],
  ])('reports %s as the one document, and no stack', async (_name, accident) => {
    const names = ['unhandledRejection', 'uncaughtException'] as const;
    const theirs = names.map((name) => ({ name, listeners: process.rawListeners(name) }));
    for (const name of names) process.removeAllListeners(name);
    const streams = captureStreams();
    // The command waits for an end of its input that never comes.
    const stdin = new Readable({ read: accident });
    const env = { CLOUDFLARE_API_TOKEN_FILE: '-', SMTP_SETUP_CONFIG: '/nonexistent/smtp-setup.yaml' };
    const given = '--ssh root@198.51.100.7 --domain example.org --dns cloudflare --mailbox ada@example.org';
    try {
      const argv = ['init', '--json', '--resolver', '127.0.0.1:1', ...given.split(' ')];
      expect(await main(argv, env, { ...streams, stdin })).toBe(1);
    } finally {
      for (const { name, listeners } of theirs)
        for (const listener of listeners) process.on(name, listener as () => void);
    }
    expect(JSON.parse(streams.outText)).toMatchObject({
      ok: false,
      exit: 1,
      error: { code: 'E_INTERNAL', what: expect.stringContaining('adrift') },
    });
    expect(streams.errText).not.toMatch(/^\s+at /m);
  });

  it('leaves the process’s handlers as they were', async () => {
    const names = ['SIGINT', 'unhandledRejection', 'uncaughtException'];
    const count = () => names.map((name) => process.listenerCount(name));
    const before = count();
    await main(['--version'], {}, captureStreams());
    expect(count()).toEqual(before);
  });
});
