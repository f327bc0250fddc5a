import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { compileSections, parseSections, type Section } from '../../../src/facts/sections.js';

const tag = 'smtp-setup-facts-0123456789abcdef';

function section(name: string, script: string, more: Partial<Section> = {}): Section {
  return { name, script, seconds: 5, maxBytes: 1000, background: false, ...more };
}

function ask(sections: Section[], variables: Record<string, string> = {}, env: Record<string, string> = {}) {
  const result = spawnSync('sh', ['-s'], { input: compileSections(tag, sections, variables), env });
  return {
    stdout: result.stdout.toString(),
    answers: parseSections(tag, sections, result.stdout.toString()),
  };
}

describe('sections', () => {
  it('keep each answer and its status apart', () => {
    const { answers } = ask([
      section('a', 'echo one; exit 3'),
      section('b', 'no-such-program'),
      section('empty', ':'),
      section('stdin', 'cat; echo end'),
    ]);
    expect(answers.get('a')).toMatchObject({ code: 3, stdout: 'one\n', cut: false });
    expect(answers.get('b')).toMatchObject({ code: 127, stdout: '' });
    expect(answers.get('empty')).toMatchObject({ code: 0, stdout: '' });
    expect(answers.get('stdin')).toMatchObject({ code: 0, stdout: 'end\n' });
  });

  it('carry any byte', () => {
    const { answers } = ask([section('bytes', String.raw`printf '\000\377\n\n'`)]);
    expect([...(answers.get('bytes')?.bytes ?? [])]).toEqual([0, 255, 10, 10]);
  });

  it('cut what is too long and still know how the probe ended', () => {
    const { answers } = ask([section('long', 'head -c 300000 /dev/zero; exit 4', { maxBytes: 10 })]);
    expect(answers.get('long')).toMatchObject({ code: 4, cut: true });
    expect(answers.get('long')?.bytes.length).toBe(10);
  });

  it('end a probe that hangs', () => {
    expect(ask([section('hang', 'exec sleep 60', { seconds: 1 })]).answers.get('hang')?.code).toBe(124);
  });

  it('run background sections beside the others, answers never mixed', () => {
    const slow = (name: string) =>
      section(name, 'head -c 100000 /dev/zero | tr "\\0" x', { background: true, maxBytes: 200_000 });
    const { answers } = ask([
      slow('s1'),
      section('f1', 'echo f1'),
      slow('s2'),
      section('f2', 'echo f2'),
      slow('s3'),
    ]);
    for (const name of ['s1', 's2', 's3']) expect(answers.get(name)?.stdout).toBe('x'.repeat(100_000));
    expect([answers.get('f1')?.stdout, answers.get('f2')?.stdout]).toEqual(['f1\n', 'f2\n']);
  });

  it('end everything that a hanging probe has started', async () => {
    const { answers } = ask([section('hang', 'sleep 60 & echo $!; wait', { seconds: 1 })]);
    expect(answers.get('hang')?.code).toBe(124);
    const child = Number(answers.get('hang')?.stdout.trim());
    // A signal that was sent is not one that has arrived, and nobody may have buried the process yet.
    await vi.waitFor(
      () => {
        const left = existsSync(`/proc/${child}/stat`) ? readFileSync(`/proc/${child}/stat`, 'utf8') : '';
        expect(left).toMatch(/^$|\) Z /);
      },
      { timeout: 30_000 },
    );
  });

  it('say which signal ended a probe, and do not wait for one that closed its output', () => {
    const { answers } = ask([section('killed', 'kill -9 $$'), section('closed', 'echo x; exec >&-; exit 3')]);
    expect(answers.get('killed')?.code).toBe(137);
    expect(answers.get('closed')).toMatchObject({ code: 3, stdout: 'x\n' });
  });

  it('carry every length whole', () => {
    const sections = Array.from({ length: 10 }, (_, size) =>
      section(`s${size}`, `head -c ${size} /dev/zero | tr '\\0' '\\377'`),
    );
    const { answers } = ask(sections);
    for (let size = 0; size < 10; size += 1) {
      expect(answers.get(`s${size}`)?.bytes, String(size)).toEqual(Buffer.alloc(size, 255));
    }
  });

  it('are answered, if plainly, where there is no perl', () => {
    const { answers } = ask(
      [section('a', 'echo one'), section('b', 'cat')],
      {},
      { SMTP_SETUP_PERL: 'no-such-perl' },
    );
    expect(answers.get('a')).toMatchObject({ code: 0, stdout: 'one\n' });
    expect(answers.get('b')).toMatchObject({ code: 0, stdout: '\n' });
  });

  it('ignore noise around them and forged lines without the tag', () => {
    const sections = [section('a', `echo '${tag} a Zm9yZ2Vk 0'`)];
    const { stdout } = ask(sections);
    const noisy = `Welcome!\r\n\x1b[1mmotd\x1b[0m\nother a Zm9yZ2Vk 0\n${tag}x a Zm9yZ2Vk 0\n${stdout}\nbye`;
    expect(parseSections(tag, sections, noisy).get('a')?.stdout).toBe(`${tag} a Zm9yZ2Vk 0\n`);
  });

  it('drop answers that are not in their form', () => {
    const sections = [section('a', ':'), section('b', ':')];
    const text = `${tag} a !!! 0\n${tag} a Zg== x\n${tag} a Zg== 0 more\n${tag} c Zg== 0\n${tag} b`;
    expect(parseSections(tag, sections, text).size).toBe(0);
  });

  it('pass variables as data', () => {
    const value = `it's $(touch /nowhere) "x"\n\`y\``;
    const { answers } = ask([section('v', 'printf %s "$FACT_X"')], { FACT_X: value });
    expect(answers.get('v')?.stdout).toBe(value);
  });

  it('do nothing when the script arrives cut', () => {
    const script = compileSections(tag, [section('a', 'echo x')]);
    const cut = script.slice(0, script.lastIndexOf('echo; main'));
    expect(spawnSync('sh', ['-s'], { input: cut }).stdout.toString()).toBe('');
  });
});
