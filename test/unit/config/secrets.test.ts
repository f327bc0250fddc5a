import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { openGivenFiles } from '../../../src/config/given-files.js';
import { readSecret } from '../../../src/config/read-secret.js';
import { createRedactor } from '../../../src/config/redact.js';
import { Secret } from '../../../src/config/secret.js';

const marker = 'MARKER-s3cret';

describe('Secret', () => {
  it('reads [hidden] however it is printed', () => {
    const secret = new Secret(marker);
    const prints = [
      `${secret}`,
      String(secret),
      `${secret}x`,
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: [secret] }, { showHidden: true, depth: 9 }),
      Object.entries(secret).join(),
      JSON.stringify(structuredClone({ ...secret })),
    ];
    for (const text of prints) expect(text).not.toContain(marker);
    expect(prints[0]).toBe('[hidden]');
    expect(secret.reveal()).toBe(marker);
  });
});

describe('readSecret', () => {
  const folder = mkdtempSync(join(tmpdir(), 'secret-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'pw');
  writeFileSync(file, 'from file \r\n');
  writeFileSync(join(folder, 'empty'), '\n');
  const stdin = (text = ''): PassThrough => new PassThrough().end(text);
  const read = async (env: Record<string, string>, path?: string, input = '') =>
    (
      await readSecret({
        env,
        names: ['TOKEN', 'OLD_TOKEN'],
        files: openGivenFiles(stdin(input)),
        file: path === undefined ? undefined : { wanter: '--token-file', path },
      })
    )?.reveal();

  it('prefers the flag, then the first variable, then its _FILE', async () => {
    expect(await read({ TOKEN: 'from env' }, file)).toBe('from file ');
    expect(await read({ TOKEN: 'from env', OLD_TOKEN: 'x' })).toBe('from env');
    expect(await read({ TOKEN_FILE: file })).toBe('from file ');
    expect(await read({ OLD_TOKEN: 'old' })).toBe('old');
    expect(await read({})).toBeUndefined();
    expect(await read({ TOKEN: '' })).toBeUndefined();
  });

  it('reads stdin for -', async () => {
    expect(await read({}, '-', 'typed\n')).toBe('typed');
  });

  it('reads a pipe once a command, however often it is asked, and gives stdin to one alone', async () => {
    const files = openGivenFiles(stdin('token\n'));
    const from = (name: string) => readSecret({ env: { [`${name}_FILE`]: '-' }, names: [name], files });
    expect((await from('TOKEN'))?.reveal()).toBe('token');
    expect((await from('TOKEN'))?.reveal()).toBe('token');
    await expect(from('PASSWORD')).rejects.toMatchObject({
      code: 'E_STDIN_TAKEN',
      exit: 2,
      evidence: ['TOKEN_FILE and PASSWORD_FILE both say -'],
    });
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = execFile('sh', ['-c', `echo piped > ${pipe}`]);
    const piped = () =>
      readSecret({ env: {}, names: [], files, file: { wanter: '--token-file', path: pipe } });
    expect((await piped())?.reveal()).toBe('piped');
    expect((await piped())?.reveal()).toBe('piped');
    writer.kill();
  });

  it.each([
    [{}, join(folder, 'empty'), 'E_SECRET_EMPTY'],
    [{}, '-', 'E_SECRET_EMPTY'],
    [{}, join(folder, 'none'), 'E_FILE_UNREADABLE'],
    [{}, '/dev/zero', 'E_FILE_UNREADABLE'],
    [{ TOKEN: 'a', TOKEN_FILE: file }, undefined, 'E_SECRET_AMBIGUOUS'],
  ])('refuses %j %s', async (env, path, code) => {
    await expect(read(env as Record<string, string>, path)).rejects.toMatchObject({ code, exit: 2 });
  });
});

describe('the redactor', () => {
  const hide = (value: string, text: string): string => {
    const redactor = createRedactor();
    redactor.add(new Secret(value));
    return redactor.redact(text);
  };

  it.each([
    ['as it is', 'p@ss w/ "q"', 'x p@ss w/ "q" y'],
    ['in a URL', 'p@ss w/ "q"', `https://h/?t=${encodeURIComponent('p@ss w/ "q"')}`],
    [
      'in a form',
      'p@ss w/ "q"',
      `t=${new URLSearchParams({ t: 'p@ss w/ q' }).toString()}`.replace('q', '%22q%22'),
    ],
    ['in JSON', 'p@ss w/ "q"', JSON.stringify({ t: 'p@ss w/ "q"' })],
    ['in a shell word', "it's long", `'it'\\''s long'`],
    ['in hex', 'abcdefgh', Buffer.from('abcdefgh').toString('hex')],
    [
      'in SASL PLAIN',
      'correct-horse',
      `AUTH PLAIN ${Buffer.from('\0a@b.c\0correct-horse').toString('base64')}`,
    ],
    ['in SASL LOGIN', 'correct-horse', Buffer.from('correct-horse').toString('base64')],
    ['one line of a key', 'BEGIN KEY\nabcdefghij\nEND', 'debug: abcdefghij'],
  ])('finds a secret %s', (_form, value, text) => {
    expect(hide(value, text)).toContain('[hidden]');
  });

  it('takes every occurrence, and the longer of two', () => {
    const redactor = createRedactor();
    redactor.add(new Secret('secret'));
    redactor.add(new Secret('secret-longer'));
    expect(redactor.redact('secret secret-longer secret')).toBe('[hidden] [hidden] [hidden]');
  });

  it('leaves other text alone, and does not blot out words for the sake of tiny values', () => {
    expect(hide('abc', 'the abc of mail')).toBe('the abc of mail');
    expect(createRedactor().redact('anything')).toBe('anything');
  });

  it('leaves no secret in base64, wherever it begins', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), fc.string(), fc.string(), (value, before, after) => {
        fc.pre(!value.includes('\n'));
        const hidden = hide(value, Buffer.from(before + value + after).toString('base64'));
        expect(hidden).toContain('[hidden]');
      }),
    );
  });
});
