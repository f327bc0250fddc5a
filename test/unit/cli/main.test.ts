import { readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
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

  it('leaves the process’s signal handlers as they were', async () => {
    const before = process.listenerCount('SIGINT');
    await main(['--version'], {}, captureStreams());
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
