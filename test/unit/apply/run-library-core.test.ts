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

  it('goes on when events cannot be written', async () => {
    const compiled = server.compile([step('one', [call('touch', join(server.base, 'x'))])], 0);
    mkdirSync(join(server.state, 'runs', compiled.id, 'events'));
    const child = server.start(compiled);
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).toBe(0);
    expect(existsSync(join(server.base, 'x'))).toBe(true);
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
