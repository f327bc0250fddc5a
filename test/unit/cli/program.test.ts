import { describe, expect, it } from 'vitest';
import { type Entry, entry } from '../../../src/cli/commands/index.js';
import { planCommand } from '../../../src/cli/commands/plan.js';
import { sandboxCommand } from '../../../src/cli/commands/sandbox.js';
import { undoCommand } from '../../../src/cli/commands/undo.js';
import { createContext } from '../../../src/cli/context.js';
import { scanOutputFlags } from '../../../src/cli/flags.js';
import { runProgram } from '../../../src/cli/program.js';
import { Exit, SetupError } from '../../../src/errors.js';
import { createIo } from '../../../src/ui/io.js';
import { captureStreams } from '../../helpers/streams.js';

const wired: readonly Entry[] = [
  entry(planCommand, async () => async () => ({ exit: Exit.pending, document: { pending: true } })),
  entry(sandboxCommand, async () => async () => ({ exit: Exit.ok })),
  entry(undoCommand),
];

async function run(argv: readonly string[], entries = wired) {
  const streams = captureStreams();
  const io = createIo(streams, {}, scanOutputFlags(argv));
  const context = createContext(io, {}, new AbortController().signal);
  const result = await runProgram(argv, entries, context, '1.2.3').catch((error: unknown) => error);
  return { result, streams };
}

describe('the program', () => {
  it('prints the version alone', async () => {
    const { result, streams } = await run(['--version']);
    expect(result).toEqual({ exit: 0 });
    expect(streams.outText).toBe('1.2.3\n');
  });

  it('leads its help with examples and lists every exit code', async () => {
    const { result, streams } = await run(['--help']);
    expect(result).toEqual({ exit: 0 });
    expect(streams.outText).toMatch(/^Examples:\n {2}smtp-setup plan\n/);
    for (const code of Object.values(Exit))
      expect(streams.outText).toMatch(new RegExp(`^  ${code} +\\S`, 'm'));
    expect(streams.errText).toBe('');
  });

  it('puts what it prints into the document under --json', async () => {
    for (const argv of [
      ['--json', '--version'],
      ['--version', '--json'],
    ]) {
      const { result, streams } = await run(argv);
      expect(result).toEqual({ exit: 0, document: { version: '1.2.3' } });
      expect(streams.outText).toBe('');
    }
    const { result, streams } = await run(['plan', '--help', '--json']);
    expect(result).toMatchObject({ exit: 0, document: { help: expect.stringContaining('Exit codes:') } });
    expect(streams.outText).toBe('');
  });

  it('shows only commands that have a working half', async () => {
    const { streams } = await run(['--help']);
    expect(streams.outText).toContain('plan');
    expect(streams.outText).not.toContain('undo');
    expect((await run(['undo'])).result).toMatchObject({ code: 'E_USAGE' });
  });

  it('lists the exit codes and the output flags in a command’s help', async () => {
    const { streams } = await run(['plan', '--help']);
    expect(streams.outText).toContain('Exit codes:');
    expect(streams.outText).toContain('--json');
    expect(streams.outText).toContain('--exit-code');
    expect(streams.outText).toContain('--ssh <[user@]host[:port]>');
  });

  it('shows help on stderr and exits with 2 when no command is given', async () => {
    const { result, streams } = await run([]);
    expect(result).toEqual({ exit: Exit.usage });
    expect(streams.errText).toContain('Usage: smtp-setup');
    expect(streams.outText).toBe('');
  });

  it.each([
    [['paln'], "unknown command 'paln'", 'Did you mean plan?'],
    [['plan', '--exit-cod'], "unknown option '--exit-cod'", 'Did you mean --exit-code?'],
    [['sandbox', 'dwn'], "unknown command 'dwn'", 'Did you mean down?'],
  ])('suggests what %j may have meant', async (argv, what, hint) => {
    const { result, streams } = await run(argv);
    expect(result).toMatchObject({ code: 'E_USAGE', exit: Exit.usage, message: what, evidence: [hint] });
    expect(streams.outText + streams.errText).toBe('');
  });

  it.each([
    [['plan', '--ssh']],
    [['plan', 'extra']],
    [['sandbox', 'up', '--image', 'windows']],
    [['sandbox', 'up', '--name', '../x']],
    [['sandbox', 'exec']],
  ])('refuses %j as a usage error', async (argv) => {
    const { result } = await run(argv);
    expect(result).toBeInstanceOf(SetupError);
    expect(result).toMatchObject({ code: 'E_USAGE', exit: Exit.usage });
  });

  it('returns what the command returned', async () => {
    const { result } = await run(['plan', '--json']);
    expect(result).toEqual({ exit: Exit.pending, document: { pending: true } });
  });

  it('takes the output flags before the command, too', async () => {
    expect((await run(['--json', '--no-color', 'plan'])).result).toMatchObject({ exit: Exit.pending });
  });

  it('lets errors of the command pass', async () => {
    const broken = entry(planCommand, async () => async () => {
      throw new Error('from inside');
    });
    expect((await run(['plan'], [broken])).result).toMatchObject({ message: 'from inside' });
  });
});
