import { describe, expect, it } from 'vitest';
import { Exit, SetupError } from '../../../src/errors.js';
import { cancelledError } from '../../../src/ui/cancelled.js';
import { createIo, type IoOptions } from '../../../src/ui/io.js';
import { renderDocument } from '../../../src/ui/report/document.js';
import { reportError } from '../../../src/ui/report/error.js';
import { captureStreams } from '../../helpers/streams.js';

function report(error: unknown, options: IoOptions = {}, logPath?: string) {
  const streams = captureStreams();
  const redact = (text: string): string => text.replaceAll('marker', '[hidden]');
  return { ...reportError(createIo(streams, {}, options), error, redact, logPath), text: streams.errText };
}

const known = new SetupError({
  code: 'E_PORT_25',
  exit: Exit.unsuitable,
  what: 'Port 25 is blocked.',
  evidence: ['connect: timed out\nagain', 'token marker'],
  fix: ['Ask your provider.', 'Or relay.'],
});

describe('reportError', () => {
  it('says what happened, the evidence, how to fix it, and where the log is', () => {
    const { text, exit } = report(known, {}, '/state/x.log');
    expect(exit).toBe(Exit.unsuitable);
    expect(text).toBe(
      [
        '✖ Port 25 is blocked. [E_PORT_25]',
        '  │ connect: timed out',
        '  │ again',
        '  │ token [hidden]',
        '',
        '  Ask your provider.',
        '  Or relay.',
        '',
        '  Full log: /state/x.log',
        '',
      ].join('\n'),
    );
  });

  it('gives the same as data', () => {
    expect(report(known).document.error).toEqual({
      code: 'E_PORT_25',
      what: 'Port 25 is blocked.',
      evidence: ['connect: timed out', 'again', 'token [hidden]'],
      fix: ['Ask your provider.', 'Or relay.'],
    });
  });

  it('needs one line for Ctrl-C', () => {
    const { text, exit } = report(cancelledError());
    expect([text, exit]).toEqual(['Cancelled.\n', Exit.cancelled]);
    const aborted = Object.assign(new Error('This operation was aborted'), { name: 'AbortError' });
    expect(report(aborted)).toMatchObject({ text: 'Cancelled.\n', exit: Exit.cancelled });
  });

  it('owns up to bugs, and shows the stack only when asked', () => {
    const { text, exit } = report(new TypeError('x is undefined marker'));
    expect(exit).toBe(Exit.failed);
    expect(text).toContain('Something went wrong inside smtp-setup: x is undefined [hidden] [E_INTERNAL]');
    expect(text).not.toContain('error.test.ts');
    expect(report(new TypeError('x'), { verbose: true }).text).toContain('error.test.ts');
    expect(report('thrown text').text).toContain('thrown text');
  });

  it('strips control characters from every part', () => {
    const evil = 'a\u001b[2Jb\u202e';
    const error = new SetupError({ code: 'E_X', exit: 1, what: evil, evidence: [evil], fix: [evil] });
    const { text, document } = report(error);
    expect(text + JSON.stringify(document)).not.toMatch(/\u001b|\\u001b|\u202e/);
  });
});

describe('renderDocument', () => {
  it('is one JSON document that begins with how it ended', () => {
    const text = renderDocument(Exit.pending, { pending: true });
    expect(text).toMatch(/^\{\n {2}"ok": false,\n {2}"exit": 4,\n/);
    expect(JSON.parse(text)).toEqual({ ok: false, exit: 4, pending: true });
  });

  it('escapes what a terminal would act on, without losing it', () => {
    const value = 'a\u001bb\u009bc\u202ed\u2028e';
    const text = renderDocument(Exit.ok, { value });
    expect(text).not.toMatch(/[\u001b\u009b\u202e\u2028]/);
    expect(JSON.parse(text)).toEqual({ ok: true, exit: 0, value });
  });
});
