import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { describeClient, judgeHolder } from '../../../src/apply/holder.js';
import { parseEvent, type RunEvent } from '../../../src/apply/run-events.js';
import { type LaneOptions, runServerPlan } from '../../../src/apply/server-lane.js';
import { archiveOf } from '../../../src/apply/start-run.js';
import { Exit, SetupError } from '../../../src/errors.js';
import { compileRuns } from '../../../src/plan/compile-runs.js';
import type { Connection, ExecOptions, ExecResult } from '../../../src/ssh/connection.js';

const [compiled] = compileRuns([{ id: 'x', run: 'install', title: 'X', reason: '', calls: [] }], {
  idOf: () => '20261124T101500Z-install-7',
  generation: 0,
  who: 'ada@laptop pid 7',
  library: new Map(),
  secrets: { install: [{ name: 'token', value: 'marker-2b9d' }] },
});
if (!compiled) throw new Error('no run');
const run = compiled;

type Answer = string | SetupError;

/** A server that answers each command in turn with what it would print, or loses the connection after that. */
class ScriptedConnection implements Connection {
  readonly target = { host: 'vps', port: 22, user: 'root' };
  readonly remoteAddress = '198.51.100.25';
  roundTrips = 0;
  readonly commands: string[] = [];
  readonly #answers: (Answer | readonly [string, SetupError])[];

  constructor(answers: (Answer | readonly [string, SetupError])[]) {
    this.#answers = answers;
  }

  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    this.roundTrips += 1;
    this.commands.push(command);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error(`not expected: ${command.slice(0, 60)}`);
    if (answer instanceof SetupError) throw answer;
    const [stdout, then] = typeof answer === 'string' ? [answer, undefined] : answer;
    // Arbitrary boundaries, as the network makes them.
    for (let at = 0; at < stdout.length; at += 7) options.onStdout?.(Buffer.from(stdout.slice(at, at + 7)));
    if (then) throw then;
    return { code: 0, stdout, stderr: '' };
  }

  async close(): Promise<void> {}
}

const cut = new SetupError({ code: 'E_SSH_LOST', exit: Exit.failed, what: 'The connection was lost.' });
const begin = 'E 10 100\tbegin\tinstall\t1\nE 20 101\tstep\t1\tx\tX\n';
const rest = 'L 30 Unpacking x\nE 30 102\tdone\t1\t1\nE 40 103\tend\t0\t\n';
const ok = 'R run=install\nR code=0\nR generation=1\nR changed=1\nR end\n';
const failed = (code: number, message: string) =>
  `R run=install\nR code=${code}\nR generation=1\nR step=1\nR step_id=x\nR message=${message}\nR end\n`;

async function attend(
  first: ScriptedConnection,
  later: (ScriptedConnection | SetupError)[] = [],
  steps: (typeof run)['steps'] = run.steps,
) {
  const events: RunEvent[] = [];
  const waits: number[] = [];
  let time = 0;
  const options: LaneOptions = {
    connection: first,
    connector: {
      connect: async () => {
        const next = later.shift();
        if (next === undefined) throw cut;
        if (next instanceof SetupError) throw next;
        return next;
      },
    },
    texts: { library: new Map(), start: 'start', follow: 'follow' },
    onEvent: (event) => events.push(event),
    wait: async (milliseconds) => {
      waits.push(milliseconds);
      time += milliseconds;
    },
    now: () => time,
  };
  const outcome = await runServerPlan({ ...run, steps }, options).catch((error: unknown) => error);
  return { outcome, events, waits };
}

describe('a run, followed', () => {
  it('takes two round trips and tells everything in order', async () => {
    const connection = new ScriptedConnection(['\n@started\n', begin + rest + ok]);
    const { outcome, events } = await attend(connection);
    expect(outcome).toMatchObject({ result: { code: 0, generation: 1 }, connection });
    expect(connection.roundTrips).toBe(2);
    expect(events).toEqual([
      { kind: 'begin', run: 'install', steps: 1, time: 100 },
      { kind: 'step', number: 1, id: 'x', title: 'X', time: 101 },
      { kind: 'log', text: 'Unpacking x' },
      { kind: 'done', number: 1, changed: true, time: 102 },
      { kind: 'end', code: 0, text: '', time: 103 },
    ]);
  });

  it('names the steps that failed without ending the run, each once, over a cut', async () => {
    const failing = `${begin}E 25 102\tfailed\t1\tthe authority said no\n`;
    const second = new ScriptedConnection([failing + rest.replace('E 30 102\tdone\t1\t1\n', '') + ok]);
    const { outcome } = await attend(new ScriptedConnection(['\n@started\n', [failing, cut]]), [second]);
    expect(outcome).toMatchObject({
      result: { code: 0 },
      failed: [{ id: 'x', message: 'the authority said no' }],
    });
  });

  it('goes on from where it was after a cut, on a new connection', async () => {
    const first = new ScriptedConnection(['\n@started\n', [begin, cut]]);
    const second = new ScriptedConnection([begin + rest + ok]);
    const { outcome, events, waits } = await attend(first, [cut, second]);
    expect(outcome).toMatchObject({ connection: second });
    expect(second.commands[0]).toMatch(/ 20 0$/);
    expect(events.map(({ kind }) => kind)).toEqual([
      'begin',
      'step',
      'lost',
      'lost',
      'back',
      'log',
      'done',
      'end',
    ]);
    expect(waits).toEqual([1000, 2000]);
  });

  describe('that changed the firewall', () => {
    const steps = [{ number: 1, id: 'files-firewall', title: 'X' }];
    const whole = () => new ScriptedConnection(['\n@started\n', begin + rest + ok]);

    it('is proven by a login of its own, which stops the timer that would take the rules back', async () => {
      const fresh = new ScriptedConnection(['']);
      const { outcome } = await attend(whole(), [fresh], steps);
      expect(outcome).toMatchObject({ result: { code: 0 } });
      expect(fresh.commands).toEqual([
        expect.stringMatching(
          /^systemctl stop smtp-setup-firewall-deadman\.timer; [\s\S]* \/run\/smtp-setup-firewall\.fired [\s\S]* enable smtp-setup-firewall\.service /,
        ),
      ]);
    });

    it('is proven even when another step fails afterwards, which is then told', async () => {
      const fresh = new ScriptedConnection(['']);
      const other = 'E 40 103\tfailed\t2\tno luck\n';
      const first = new ScriptedConnection([
        '\n@started\n',
        begin + rest.split('E 40')[0] + other + failed(1, 'no luck'),
      ]);
      const { outcome } = await attend(first, [fresh], [...steps, { number: 2, id: 'y', title: 'Y' }]);
      expect(outcome).toMatchObject({ code: 'E_STEP_FAILED', evidence: ['no luck', 'Unpacking x'] });
      expect(fresh.commands).toHaveLength(1);
    });

    it('waits for the last step that changes it', async () => {
      const fresh = new ScriptedConnection(['']);
      const first = new ScriptedConnection([
        '\n@started\n',
        begin + rest.split('E 40')[0] + failed(1, 'no luck'),
      ]);
      const both = [...steps, { number: 2, id: 'firewall-load', title: 'Y' }];
      expect(await attend(first, [fresh], both)).toMatchObject({ outcome: { code: 'E_STEP_FAILED' } });
      expect(fresh.commands).toEqual([]);
    });

    it('does not take a login for proof that works because the rules have gone by themselves', async () => {
      const fresh = new ScriptedConnection(['fired\n']);
      const { outcome } = await attend(whole(), [fresh], steps);
      expect(outcome).toMatchObject({
        code: 'E_LOCKED_OUT',
        evidence: [expect.stringContaining('the three minutes were over')],
      });
    });

    it('says so when nobody gets in any more', async () => {
      const { outcome } = await attend(whole(), [cut], steps);
      expect(outcome).toMatchObject({ code: 'E_LOCKED_OUT', exit: Exit.failed });
      expect((outcome as SetupError).message).toContain('within three minutes');
    });
  });

  it('starts again when the answer to the start was lost', async () => {
    const second = new ScriptedConnection(['\n@started\n', begin + rest + ok]);
    const { outcome } = await attend(new ScriptedConnection([cut]), [second]);
    expect(outcome).toMatchObject({ result: { code: 0 } });
  });

  it('counts a follower that was ended as a cut', async () => {
    const second = new ScriptedConnection([rest + ok]);
    const { outcome, events } = await attend(new ScriptedConnection(['\n@started\n', `${begin}H\n`]), [
      second,
    ]);
    expect(outcome).toMatchObject({ result: { code: 0 } });
    expect(events.map(({ kind }) => kind)).toContain('back');
  });

  it('gives up after five minutes and says that the run goes on', async () => {
    const { outcome, waits } = await attend(new ScriptedConnection(['\n@started\n', cut]));
    expect(outcome).toMatchObject({
      code: 'E_SSH_LOST',
      exit: 1,
      fix: [expect.stringContaining('re-attaches')],
    });
    const total = waits.reduce((sum, milliseconds) => sum + milliseconds, 0);
    expect(total).toBeGreaterThanOrEqual(300_000);
    expect(total).toBeLessThanOrEqual(330_000);
  });

  it.each([
    ['died', `${begin}L 9 last words\nG\n`, { code: 'E_RUN_DIED', exit: 1 }],
    ['a failed step', `${begin}L 9 last words\n${failed(1, 'no luck')}`, { code: 'E_STEP_FAILED', exit: 1 }],
    ['overtaken', failed(6, 'generation 5'), { code: 'E_OVERTAKEN', exit: 6 }],
    ['a newer server', failed(5, 'schema 2'), { code: 'E_SERVER_NEWER', exit: 5 }],
    ['stopped', failed(130, 'as asked'), { code: 'E_CANCELLED', exit: 130 }],
    ['a result that is none', 'R code=x\nR end\n', { code: 'E_RUN_DIED' }],
  ])('%s is told as what it is', async (_, text, error) => {
    const { outcome } = await attend(new ScriptedConnection(['\n@started\n', text]));
    expect(outcome).toMatchObject(error);
  });

  it('gives the evidence of a failed step, and where the whole story is', async () => {
    const text = `${begin}${Array.from({ length: 9 }, (_, index) => `L ${index + 1} line ${index}\n`).join('')}${failed(1, 'no luck')}`;
    const { outcome } = await attend(new ScriptedConnection(['\n@started\n', text]));
    expect(outcome).toMatchObject({
      message: 'Step 1 (x) failed on the server.',
      evidence: ['no luck', 'line 3', 'line 4', 'line 5', 'line 6', 'line 7', 'line 8'],
    });
    expect((outcome as SetupError).fix[0]).toContain(
      '/var/lib/smtp-setup/runs/20261124T101500Z-install-7/log',
    );
  });

  it('names who holds another run', async () => {
    const meta = 'id=20261124T090000Z-install-1\nname=install\nwho=bob@desk pid 2\nsince=1795490000\n';
    const { outcome } = await attend(
      new ScriptedConnection(['noise\n@busy 20261124T090000Z-install-1\n', meta]),
    );
    expect(outcome).toMatchObject({
      code: 'E_BUSY',
      exit: 6,
      evidence: [
        'held by bob@desk pid 2 since 2026-11-24T03:13:20.000Z',
        'run 20261124T090000Z-install-1 (install)',
      ],
    });
  });

  it('says why a run could not be started', async () => {
    const { outcome } = await attend(new ScriptedConnection(['\n@failed systemd-run: no such thing\n']));
    expect(outcome).toMatchObject({ code: 'E_RUN_START', evidence: ['systemd-run: no such thing'] });
    const silent = await attend(new ScriptedConnection(['']));
    expect(silent.outcome).toMatchObject({ code: 'E_RUN_START', evidence: ['exit status 0'] });
  });

  it('lets no control character of the server through', async () => {
    const text = `E 5 1\tstep\t1\tx\t\u001b[31mred\u0007\nL 5 \u202eevil\u009b1m\n${failed(1, '\u001b]0;x\u0007m')}`;
    const { outcome, events } = await attend(new ScriptedConnection(['\n@started\n', text]));
    const seen = JSON.stringify([events, (outcome as SetupError).message, (outcome as SetupError).evidence]);
    expect(seen).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]|\\u00/);
    expect(seen).toContain('red');
  });
});

describe('the upload', () => {
  it('keeps secrets out of the run directory and of the command line', async () => {
    const connection = new ScriptedConnection(['\n@started\n', ok]);
    await attend(connection);
    expect(connection.commands.join('\n')).not.toContain('marker-2b9d');
    const list = spawnSync('tar', ['-tvf', '-'], { input: archiveOf(run) }).stdout.toString();
    const names = list.split('\n').map((line) => line.split(/\s+/).at(-1));
    expect(names).toEqual(['run/', 'secrets/', 'run/script', 'run/meta', 'secrets/token', 'complete', '']);
    expect(list).toMatch(/^-rw------- root\/root .* secrets\/token$/m);
    expect(list).toMatch(/^drwx------ root\/root .* secrets\/$/m);
  });
});

describe('events', () => {
  it('are read strictly', () => {
    expect(parseEvent('5\tprogress\t2\ta: b')).toEqual({
      kind: 'progress',
      number: 2,
      text: 'a: b',
      time: 5,
    });
    for (const line of [
      '',
      'x\tstep\t1',
      '5\tforged\t1',
      '5\tstep\tone\tx\ty',
      '5\tend',
      '5\tprogress\t-1\tx',
    ]) {
      expect(parseEvent(line), line).toBeUndefined();
    }
  });
});

describe('the holder of a run', () => {
  const me = { user: 'ada', machine: 'laptop', pid: 7 };
  const judge = (who: string, alive: number[] = []) => judgeHolder({ who }, me, (pid) => alive.includes(pid));

  it('is us when our own process that started it is dead', () => {
    expect(judge('ada@laptop pid 6')).toBe('ours');
    expect(judge(describeClient(me), [7])).toBe('ours');
  });

  it('is somebody else when that process lives, or is elsewhere', () => {
    expect(judge('ada@laptop pid 6', [6])).toBe('busy');
    expect(judge('ada@desktop pid 6')).toBe('busy');
    expect(judge('bob@laptop pid 6')).toBe('busy');
    expect(judge('unknown')).toBe('busy');
  });
});
