import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { call, file, LocalServer, owner, step } from '../../helpers/local-run.js';

let server: LocalServer;
beforeEach(() => {
  server = new LocalServer();
});
afterEach(() => server.remove());

const manifestFile = () => join(server.state, 'manifest.json');

describe('steps beside each other', () => {
  const aside = (id: string, after: string[], calls = [call('demo', id)], more = {}) => ({
    ...step(id, calls),
    after,
    ...more,
  });
  /** `meet` lasts until the other one has come: it can end only when both run at the same time. */
  const functions = {
    'zz-test.sh': `
demo() { progress "$1"; changed; }
meet() { : >"$RUN_DIR/met-$1"; until [ -e "$RUN_DIR/met-$2" ]; do sleep 0.05; done; }
fails() { GROUP_SWAPPED=0; problem "no luck"; return 1; }
linger() { until [ -e "$RUN_DIR/failed" ]; do sleep 0.05; done; progress "still at work"; }
dies() { sh -c 'kill -9 $PPID'; }
`,
  };

  it('run at the same time, each after what it needs', async () => {
    const { result, events } = await server.execute(
      [
        aside('one', [], [call('meet', '1', '2')]),
        aside('two', [], [call('meet', '2', '1')]),
        aside('three', ['one', 'two']),
        step('four', [call('demo', 'four')]),
      ],
      0,
      [],
      functions,
    );
    expect(result).toMatchObject({ code: 0, changed: true });
    const order = events.map(([kind, number]) => `${kind} ${number}`);
    expect(order.indexOf('step 3')).toBeGreaterThan(order.indexOf('done 1'));
    expect(order.indexOf('step 3')).toBeGreaterThan(order.indexOf('done 2'));
    expect(order.slice(-4)).toEqual(['step 4', 'progress 4', 'done 4', 'end 0']);
  });

  it('are finished when one fails, and no other begins', async () => {
    const { result, events } = await server.execute(
      [
        aside('bad', [], [call('fails')]),
        aside('beside', [], [call('linger')]),
        aside('late', ['beside']),
        step('last', [call('demo', 'last')]),
      ],
      0,
      [],
      functions,
    );
    expect(result).toMatchObject({ code: 1, step: 1, stepId: 'bad', message: 'no luck', changed: false });
    expect(events).toContainEqual(['progress', '2', 'still at work']);
    expect(events).toContainEqual(['done', '2', '0']);
    expect(events.filter(([kind]) => kind === 'step')).toHaveLength(2);
    expect(events.filter(([kind]) => kind === 'end')).toHaveLength(1);
  });

  it('may fail without ending the run, where the plan says so', async () => {
    const { result, events } = await server.execute(
      [aside('bad', [], [call('fails'), call('demo', 'never')], { mayFail: true }), aside('next', ['bad'])],
      0,
      [],
      functions,
    );
    expect(result).toMatchObject({ code: 0, changed: true });
    expect(events).toContainEqual(['failed', '1', 'no luck']);
    expect(events).toContainEqual(['done', '2', '1']);
    expect(events).not.toContainEqual(['progress', '1', 'never']);
  });

  describe('in the middle of a step', () => {
    const user = (id: string, after: string[] = []) =>
      aside(id, after, [call('await_proof', 'base', 'elsewhere'), call('demo', 'proven')]);

    it.each([
      ['files-base', 'well', [call('meet', '1', '2')], { code: 0 }],
      ['units-base', 'badly', [call('meet', '1', '2'), call('fails')], { code: 1, step: 1 }],
    ])('wait for %s to end, %s', async (id, _how, calls, expected) => {
      const { result, events } = await server.execute(
        [
          aside(id, [], calls),
          aside('user', [], [call('await_proof', 'base', 'elsewhere'), call('demo', 'proven')]),
          aside('other', [], [call('meet', '2', '1')]),
        ],
        0,
        [],
        functions,
      );
      expect(result).toMatchObject(expected);
      const order = events.map(([kind, number, text]) =>
        `${kind} ${number} ${kind === 'progress' ? text : ''}`.trim(),
      );
      const ended = order.findIndex((one) => one === 'done 1' || one === 'failed 1');
      expect(ended).toBeGreaterThan(-1);
      expect(order.indexOf('progress 2 proven')).toBeGreaterThan(ended);
    });

    it('do not wait for one that begins no more', async () => {
      const { result, events } = await server.execute(
        [
          aside('bad', [], [call('linger_for', 'user'), call('fails')]),
          aside('files-base', ['bad']),
          user('user'),
        ],
        0,
        [],
        {
          'zz-test.sh': `${functions['zz-test.sh']}
linger_for() { until grep -q "	step	[0-9]*	$1	" "$EVENTS"; do sleep 0.05; done; }
`,
        },
      );
      expect(result).toMatchObject({ code: 1, step: 1 });
      expect(events).toContainEqual(['progress', '3', 'proven']);
    });
  });

  it('do not wait for one that was killed', async () => {
    const { result } = await server.execute(
      [aside('one', [], [call('dies')]), aside('two', ['one'])],
      0,
      [],
      functions,
    );
    expect(result).toMatchObject({ code: 1, step: 1, message: 'the step ended unexpectedly' });
  });

  describe('while they wait', () => {
    const steps = [
      aside('one', [], [call('works')]),
      aside('two', ['one']),
      aside('three', ['one']),
      aside('proof', [], [call('await_proof', 'base')]),
      aside('files-base', ['two', 'three']),
    ];
    const more = {
      'zz-test.sh': `${functions['zz-test.sh']}
works() { local n=0; while [ $n -lt 100 ]; do env true; n=$((n + 1)); done; }
`,
    };
    beforeEach(() => server.program('sleep', `echo "$*" >>"${server.base}/sleeps"; exec /bin/sleep "$@"`));
    const order = (events: string[][]) => events.map(([kind, number]) => `${kind} ${number}`);

    it('look at nothing until a step has ended', async () => {
      const { result, events } = await server.execute(steps, 0, [], more);
      expect(result?.code).toBe(0);
      expect(order(events).slice(-3)).toEqual(['done 5', 'done 4', 'end 0']);
      expect(existsSync(join(server.base, 'sleeps'))).toBe(false);
    });

    it('look by the clock where there can be no pipe', async () => {
      server.program('mkfifo', 'exit 1');
      const { result, events } = await server.execute(steps, 0, [], more);
      expect(result?.code).toBe(0);
      expect(order(events).slice(-3)).toEqual(['done 5', 'done 4', 'end 0']);
      expect(readFileSync(join(server.base, 'sleeps'), 'utf8')).toContain('0.3');
    });
  });

  describe('on a full disk', () => {
    /** The events fit in their last block, and nothing new does; until what was kept back is given away. */
    const full = (room: boolean) => ({
      'zz-test.sh': `${functions['zz-test.sh']}
full() { trap '' XFSZ; ulimit -S -f 0; EVENTS=/dev/null; problem 'no space left'; return "$1"; }
rm() { command rm "$@"; case "$*" in *ballast) ${room ? 'ulimit -S -f unlimited' : ':'} ;; esac; }
`,
    });
    const steps = (status: string) => [
      aside('one', [], [call('full', status)]),
      aside('two', ['one']),
      aside('three', ['two']),
    ];

    it('note their ends in the room that was kept for the result', async () => {
      const { result, events } = await server.execute(steps('0'), 0, [], full(true));
      expect(result).toMatchObject({ code: 0, changed: true });
      expect(events).toContainEqual(['done', '3', '1']);
      const failed = await server.execute(steps('1'), 1, [], full(true));
      expect(failed.result).toMatchObject({ code: 1, step: 1, stepId: 'one', message: 'no space left' });
      expect(failed.events.filter(([kind]) => kind === 'step')).toHaveLength(1);
    });

    it('end the run where even that is taken', async () => {
      const { result, events } = await server.execute(steps('0'), 0, [], full(false));
      expect(result).toMatchObject({ code: 1 });
      expect(result?.message).toMatch(/^no room to note how a step ended: .* free on /);
      expect(events.filter(([kind]) => kind === 'step')).toHaveLength(1);
    });
  });

  it('write the files of two groups into one manifest', async () => {
    const group = (id: string, path: string) =>
      aside(
        id,
        [],
        [
          call('group_begin', id),
          call('put', path, '0644', owner, 'absent'),
          call('group_swap'),
          call('group_done'),
        ],
        { files: [file(path, `${id}\n`)] },
      );
    const names = Array.from({ length: 8 }, (_, index) => `g${index}`);
    const { result } = await server.execute(names.map((name) => group(name, `/etc/${name}.conf`)));
    expect(result?.code).toBe(0);
    const { manifest } = server;
    expect(typeof manifest === 'string' ? manifest : manifest.files.map(({ path }) => path)).toEqual(
      names.map((name) => `/etc/${name}.conf`),
    );
  });
});

describe('a run', () => {
  it('tells its steps as events and its end as a result with the boot id', async () => {
    const more = { 'zz-test.sh': 'demo() { progress "at it: $1"; changed; }\n' };
    const steps = [step('one', [call('demo', "it's")]), step('two', [])];
    const { status, result, events } = await server.execute(steps, 0, [], more);
    expect(status).toBe(0);
    expect(events).toEqual([
      ['begin', 'install', '2'],
      ['step', '1', 'one', 'Title of one'],
      ['progress', '1', "at it: it's"],
      ['done', '1', '1'],
      ['step', '2', 'two', 'Title of two'],
      ['done', '2', '0'],
      ['end', '0', ''],
    ]);
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    expect(result).toMatchObject({
      run: 'install',
      code: 0,
      generation: 1,
      changed: true,
      boot,
      message: '',
    });
  });

  it('stops at the step that fails and says why', async () => {
    const more = { 'zz-test.sh': 'demo() { problem "no luck"; return 3; }\nsilent() { return 4; }\n' };
    const { result, events } = await server.execute(
      [step('one', [call('demo')]), step('two', [])],
      0,
      [],
      more,
    );
    expect(result).toMatchObject({ code: 1, step: 1, stepId: 'one', message: 'no luck' });
    expect(events.map(([kind]) => kind)).not.toContain('done');
    const silent = await server.execute([step('one', [call('silent')])], 1, [], more);
    expect(silent.result?.message).toBe('silent failed (status 4)');
  });

  it('writes a result even when the script ends in the middle', async () => {
    const { result } = await server.execute([step('one', [call('exit', '0')])]);
    expect(result).toMatchObject({ code: 1, message: 'the script ended unexpectedly (status 0)' });
  });

  it('keeps control characters and tabs out of the events', async () => {
    const more = { 'zz-test.sh': String.raw`demo() { problem "$(printf 'a\tb\033[31m\nc')"; return 1; }` };
    const { result, events } = await server.execute([step('one', [call('demo')])], 0, [], more);
    expect(events).toContainEqual(['failed', '1', 'a b [31m c']);
    expect(result?.message).toBe('a b [31m c');
  });

  it('refuses to start when the server has moved on since the plan', async () => {
    await server.execute([step('one', [])]);
    const { result, events } = await server.execute(
      [step('one', [call('touch', join(server.base, 'x'))])],
      0,
    );
    expect(result).toMatchObject({ code: 6, generation: 1, step: 0 });
    expect(result?.message).toMatch(/generation 1, planned on 0/);
    expect(events.map(([kind]) => kind)).toEqual(['begin', 'end']);
    expect(existsSync(join(server.base, 'x'))).toBe(false);
  });

  it('refuses a server that a newer version manages, and leaves its manifest alone', async () => {
    const text = '{"schema":2,\n"generation":7,\n"files":[\n]}\n';
    writeFileSync(manifestFile(), text);
    const { result } = await server.execute([step('one', [])], 7);
    expect(result).toMatchObject({ code: 5 });
    expect(result?.message).toMatch(/schema 2, this one knows 1/);
    expect(readFileSync(manifestFile(), 'utf8')).toBe(text);
  });

  it('counts every run, so that a plan made before is refused afterwards', async () => {
    for (const generation of [0, 1, 2]) {
      expect((await server.execute([step('one', [])], generation)).result?.generation).toBe(generation + 1);
    }
  });

  it('finishes the present step when it is told to stop, then stops', async () => {
    const more = { 'zz-test.sh': 'stop_me() { kill -TERM $$; : >"$STATE/after"; }\n' };
    const { result, events } = await server.execute(
      [step('one', [call('stop_me')]), step('two', [])],
      0,
      [],
      more,
    );
    expect(existsSync(join(server.state, 'after'))).toBe(true);
    expect(events).toContainEqual(['done', '1', '0']);
    expect(result).toMatchObject({ code: 130, step: 1 });
  });

  describe('that is told to stop where it only waits', () => {
    const more = {
      'zz-test.sh': `
waits() { kill -TERM $$; until stopping; do sleep 0.05; done; problem 'stopped while waiting'; return 130; }
fails() { problem 'no luck'; return 130; }
awaits() { await_proof base; progress 'proven'; }
`,
    };
    const aside = (id: string, after: string[], fn: string) => ({ ...step(id, [call(fn)]), after });

    it('is stopped, and nothing failed', async () => {
      const { result, events } = await server.execute(
        [step('one', [call('waits')]), step('two', [])],
        0,
        [],
        more,
      );
      expect(result).toMatchObject({ code: 130, message: 'stopped while waiting' });
      expect(events.map(([kind]) => kind)).toEqual(['begin', 'step', 'end']);
    });

    it.each([false, true])('is stopped with the steps beside each other (may fail: %s)', async (mayFail) => {
      const { result, events } = await server.execute(
        [
          { ...aside('files-base', [], 'waits'), mayFail },
          aside('user', [], 'awaits'),
          aside('last', ['user'], 'waits'),
        ],
        0,
        [],
        more,
      );
      expect(result).toMatchObject({ code: 130, message: 'stopped before the next step, as asked' });
      expect(events.map(([kind]) => kind)).not.toContain('failed');
      expect(events.filter(([kind]) => kind === 'step').length).toBeLessThan(3);
    });

    it('has failed where nobody asked for it', async () => {
      const { result, events } = await server.execute([step('one', [call('fails')])], 0, [], more);
      expect(result).toMatchObject({ code: 1, message: 'no luck' });
      expect(events).toContainEqual(['failed', '1', 'no luck']);
    });
  });

  it('goes on when events cannot be written', async () => {
    const compiled = server.compile([step('one', [call('touch', join(server.base, 'x'))])], 0);
    mkdirSync(join(server.state, 'runs', compiled.id, 'events'));
    const child = server.start(compiled);
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(0);
    expect(existsSync(join(server.base, 'x'))).toBe(true);
  });

  it('keeps what is its own, and of the others the latest, whatever the clock of its client says', async () => {
    const later = Array.from({ length: 60 }, (_, index) => `20270101T0000${10 + index}Z-install-a`);
    for (const folder of ['runs', 'backups'])
      for (const name of later) mkdirSync(join(server.state, folder, name), { recursive: true });
    const { result } = await server.execute([
      step(
        'one',
        [
          call('group_begin', 'demo'),
          call('put', '/etc/demo', '0644', owner, 'absent'),
          call('group_swap'),
          call('group_reload'),
          call('group_done'),
        ],
        [file('/etc/demo', 'x\n')],
      ),
    ]);
    expect(result?.code).toBe(0);
    const id = '20261121T000000Z-install-1';
    expect(readdirSync(join(server.state, 'runs')).sort()).toEqual([id, ...later.slice(-50)]);
    expect(readdirSync(join(server.state, 'backups')).sort()).toEqual([id, ...later.slice(-10)]);
  });

  it('leaves no secret behind, whether it succeeds or fails', async () => {
    const more = { 'zz-test.sh': 'use() { cp "$SECRETS/password" "$ROOT/used"; return "$1"; }\n' };
    const secrets = [{ name: 'password', value: 'marker-5cf1' }];
    for (const [generation, status] of [
      [0, '0'],
      [1, '1'],
    ] as const) {
      await server.execute([step('one', [call('use', status)])], generation, secrets, more);
      expect(server.read('/used')).toBe('marker-5cf1');
      expect(server.secretsLeft).toEqual([]);
    }
    const texts = readdirSync(server.state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.join('\n')).not.toContain('marker-5cf1');
  });

  it('keeps script, events, log and result, and drops its scratch files', async () => {
    const files = [file('/etc/demo', 'x\n')];
    const calls = [
      call('group_begin', 'demo'),
      call('put', '/etc/demo', '0644', owner, 'absent'),
      call('group_swap'),
      call('group_reload'),
      call('group_done'),
    ];
    await server.execute([step('one', calls, files)]);
    const [id = ''] = readdirSync(join(server.state, 'runs'));
    expect(readdirSync(join(server.state, 'runs', id)).sort()).toEqual([
      'events',
      'files',
      'lib',
      'log',
      'meta',
      'result',
      'script',
    ]);
  });
});
