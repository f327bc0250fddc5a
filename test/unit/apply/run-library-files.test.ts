import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lastBackup } from '../../../src/facts/last-backup.js';
import { sha256 } from '../../../src/lib/sha256.js';
import type { Call, ManagedFile } from '../../../src/plan/step.js';
import { call, file, LocalServer, owner, step } from '../../helpers/local-run.js';

let server: LocalServer;
beforeEach(() => {
  server = new LocalServer();
});
afterEach(() => server.remove());

const extra = {
  'zz-test.sh': `
demo_validate() { grep -q good "$STAGE/etc/demo/main.cf" && return 0; problem "the checker says no"; return 1; }
demo_probe() { grep -q "$1" "$ROOT/etc/demo/main.cf" && return 0; problem "port 25 answers nothing"; return 1; }
demo_edit() { printf 'by hand\\n' >"$ROOT$1"; }
demo_die() { kill -9 $$; }
`,
};

interface GroupOptions {
  expect?: Record<string, string>;
  before?: Call[];
  validate?: Call[];
  probe?: Call[];
  unit?: string;
}

function group(files: ManagedFile[], options: GroupOptions = {}) {
  const calls = [
    ...(options.before ?? []),
    call('group_begin', 'demo'),
    ...files.map((one) => call('put', one.path, one.mode, one.owner, options.expect?.[one.path] ?? 'absent')),
    ...(options.unit === undefined ? [] : [call('unit', options.unit, 'reload')]),
    ...(options.validate ?? []),
    call('group_swap'),
    call('group_reload'),
    ...(options.probe ?? []),
    call('group_done'),
  ];
  return step('files-demo', calls, files);
}

const main = (content: string) => file('/etc/demo/main.cf', content);
const run = (steps: ReturnType<typeof group>[], generation = 0) =>
  server.execute(steps, generation, [], extra);

describe('a file group', () => {
  it('is written with mode and owner, recorded in the manifest, and its daemon started', async () => {
    const secret = file('/etc/demo/key', 'k\n', '0600');
    const { status, result, events } = await run([group([main('good\n'), secret], { unit: 'demo.service' })]);
    expect(status).toBe(0);
    expect(result).toMatchObject({ code: 0, generation: 1, changed: true, run: 'install' });
    expect(server.read('/etc/demo/main.cf')).toBe('good\n');
    expect([server.modeOf('/etc/demo/main.cf'), server.modeOf('/etc/demo/key')]).toEqual(['644', '600']);
    expect(server.manifest).toEqual({
      schema: 1,
      generation: 1,
      files: [
        { path: '/etc/demo/key', sha256: sha256('k\n'), mode: '0600', owner, group: 'demo' },
        { path: '/etc/demo/main.cf', sha256: sha256('good\n'), mode: '0644', owner, group: 'demo' },
      ],
    });
    expect(server.systemctlCalls).toEqual(['start demo.service']);
    expect(server.tree()).toEqual(['/etc/demo/key', '/etc/demo/main.cf']);
    expect(events.map(([kind]) => kind)).toEqual(['begin', 'step', 'progress', 'progress', 'done', 'end']);
    expect(server.pending).toEqual([]);
  });

  it('is written beside others, however they meet', async () => {
    const names = ['a', 'b', 'c', 'd'];
    // As cp works (it looks, then creates what was not there), with all of them between the two at once.
    server.program(
      'cp',
      `PATH=\${PATH#*:}
case $2 in */meta) [ ! -e "$2" ] || exec cp "$@" ;; *) exec cp "$@" ;; esac
: >"${server.base}/looked.$$"
until [ "$(ls "${server.base}"/looked.* | wc -l)" = ${names.length} ]; do sleep 0.01; done
set -C
cat "$1" >"$2"`,
    );
    const steps = names.map((name) => {
      const managed = file(`/etc/${name}/main.cf`, 'new\n');
      server.write(managed.path, 'old\n');
      const calls = [
        call('group_begin', name),
        call('put', managed.path, managed.mode, managed.owner, sha256('old\n')),
        call('group_swap'),
        call('group_done'),
      ];
      return { ...step(`files-${name}`, calls, [managed]), after: [] };
    });
    const { result, log } = await server.execute(steps);
    expect(result, log).toMatchObject({ code: 0 });
    const backup = join(server.state, 'backups', readdirSync(join(server.state, 'backups'))[0] ?? '');
    expect(readdirSync(backup).sort()).toEqual([...names, 'meta']);
    expect(readFileSync(join(backup, 'meta'), 'utf8')).toContain('who=tester@lab pid 1\n');
    for (const name of names) expect(readdirSync(join(backup, name)).sort()).toEqual(['list', 'tree']);
  });

  it('changes nothing and reloads nothing when all is in place', async () => {
    await run([group([main('good\n')], { unit: 'demo.service' })]);
    const before = server.systemctlCalls.length;
    const again = await run([group([main('good\n')], { unit: 'demo.service' })], 1);
    expect(again.events).toContainEqual(['done', '1', '0']);
    expect(again.result?.changed).toBe(false);
    expect(server.systemctlCalls.length).toBe(before);
  });

  it('reloads a running daemon and keeps a private backup of what it replaced', async () => {
    server.activate('demo.service');
    server.write('/etc/demo/main.cf', 'old\n');
    const expectOld = { '/etc/demo/main.cf': sha256('old\n') };
    const { status } = await run([group([main('good\n')], { unit: 'demo.service', expect: expectOld })]);
    expect(status).toBe(0);
    expect(server.systemctlCalls).toEqual(['reload demo.service']);
    const [backup = ''] = readdirSync(join(server.state, 'backups'));
    expect(readFileSync(join(server.state, 'backups', backup, 'demo/tree/etc/demo/main.cf'), 'utf8')).toBe(
      'old\n',
    );
  });

  it('touches nothing when the checker refuses the staged set', async () => {
    server.activate('demo.service');
    server.write('/etc/demo/main.cf', 'old good\n');
    const expectOld = { '/etc/demo/main.cf': sha256('old good\n') };
    const options = { unit: 'demo.service', expect: expectOld, validate: [call('demo_validate')] };
    const { result, events } = await run([group([main('bad\n')], options)]);
    expect(result).toMatchObject({ code: 1, stepId: 'files-demo', message: 'the checker says no' });
    expect(events).toContainEqual(['failed', '1', 'the checker says no']);
    expect(server.read('/etc/demo/main.cf')).toBe('old good\n');
    expect(server.systemctlCalls).toEqual([]);
    expect(server.tree()).toEqual(['/etc/demo/main.cf']);
  });

  it('is put back, and the daemon reloaded, when the probe fails', async () => {
    server.activate('demo.service');
    server.write('/etc/demo/main.cf', 'old\n', 0o640);
    const expectOld = { '/etc/demo/main.cf': sha256('old\n') };
    const options = { unit: 'demo.service', expect: expectOld, probe: [call('demo_probe', 'never')] };
    const { result } = await run([group([main('good\n'), file('/etc/demo/new/x', 'x')], options)]);
    expect(result).toMatchObject({ code: 1, message: 'port 25 answers nothing' });
    expect(server.read('/etc/demo/main.cf')).toBe('old\n');
    expect(server.modeOf('/etc/demo/main.cf')).toBe('640');
    expect(server.read('/etc/demo/new/x')).toBeUndefined();
    expect(server.systemctlCalls).toEqual(['reload demo.service', 'reload demo.service']);
    expect(server.manifest).toMatchObject({ generation: 1, files: [] });
    expect(server.pending).toEqual([]);
  });

  it('leaves a daemon stopped that did not run before, when its first set fails', async () => {
    const options = { unit: 'demo.service', probe: [call('demo_probe', 'never')] };
    await run([group([main('good\n')], options)]);
    expect(server.isActive('demo.service')).toBe(false);
    expect(server.systemctlCalls).toEqual(['start demo.service', 'stop demo.service']);
  });

  it('is put back when the daemon refuses to reload', async () => {
    server.activate('demo.service');
    server.refuse('demo.service');
    server.write('/etc/demo/main.cf', 'old\n');
    const expectOld = { '/etc/demo/main.cf': sha256('old\n') };
    const { result } = await run([group([main('good\n')], { unit: 'demo.service', expect: expectOld })]);
    expect(result?.message).toMatch(/^demo\.service: reload failed/);
    expect(server.read('/etc/demo/main.cf')).toBe('old\n');
    expect(server.systemctlCalls.at(-1)).toBe('restart demo.service');
  });

  it('never overwrites what was edited after the plan', async () => {
    server.write('/etc/demo/main.cf', 'old\n');
    const files = [main('good\n'), file('/etc/demo/other', 'o\n')];
    const options = {
      expect: { '/etc/demo/main.cf': sha256('old\n') },
      before: [call('demo_edit', '/etc/demo/main.cf')],
    };
    const { result } = await run([group(files, options)]);
    expect(result?.code).toBe(6);
    expect(result?.message).toMatch(/main\.cf was changed since the plan was made/);
    expect(server.read('/etc/demo/main.cf')).toBe('by hand\n');
    expect(server.read('/etc/demo/other')).toBeUndefined();
  });

  it('accepts a default that a package of this run has brought, and only then', async () => {
    server.write('/etc/demo/main.cf', 'default\n');
    const refused = await run([group([main('good\n')])]);
    expect(refused.result?.code).toBe(6);
    const compiled = server.compile([group([main('good\n')])], 1, [], extra);
    writeFileSync(join(server.state, 'runs', compiled.id, 'packages-installed'), '');
    const child = server.start(compiled);
    await new Promise((resolve) => child.on('close', resolve));
    expect(server.read('/etc/demo/main.cf')).toBe('good\n');
  });

  it('does not write through symbolic links', async () => {
    mkdirSync(join(server.root, 'etc/elsewhere'), { recursive: true });
    symlinkSync('elsewhere', join(server.root, 'etc/demo'));
    const { result } = await run([group([main('good\n')])]);
    expect(result?.message).toBe(
      '/etc/demo/main.cf is reached through the symbolic link /etc/demo, which is not followed',
    );
    expect(existsSync(join(server.root, 'etc/elsewhere/main.cf'))).toBe(false);
  });

  it('removes a file of ours that is no longer wanted, and forgets it', async () => {
    await run([group([main('good\n'), file('/etc/demo/old', 'old\n')])]);
    const calls = [
      call('group_begin', 'demo'),
      call('put', '/etc/demo/main.cf', '0644', owner, 'same'),
      call('remove', '/etc/demo/old', sha256('old\n')),
      call('group_swap'),
      call('group_reload'),
      call('group_done'),
    ];
    const { status } = await run([step('files-demo', calls, [main('good\n')])], 1);
    expect(status).toBe(0);
    expect(server.tree()).toEqual(['/etc/demo/main.cf']);
    expect(server.manifest).toMatchObject({ generation: 2, files: [{ path: '/etc/demo/main.cf' }] });
  });

  it('stages a file that the user keeps, for the checker, and does not claim it', async () => {
    server.write('/etc/demo/main.cf', 'good, by hand\n');
    const calls = [
      call('group_begin', 'demo'),
      call('keep', '/etc/demo/main.cf'),
      call('put', '/etc/demo/other', '0644', owner, 'absent'),
      call('demo_validate'),
      call('group_swap'),
      call('group_reload'),
      call('group_done'),
    ];
    const { status } = await run([step('files-demo', calls, [file('/etc/demo/other', 'o\n')])]);
    expect(status).toBe(0);
    expect(server.read('/etc/demo/main.cf')).toBe('good, by hand\n');
    expect(server.manifest).toMatchObject({ files: [{ path: '/etc/demo/other' }] });
  });

  it('keeps the last ten backups', async () => {
    for (let number = 1; number <= 12; number += 1) {
      mkdirSync(join(server.state, 'backups', `20250${100 + number}T000000Z-install-1`), { recursive: true });
    }
    await run([group([main('good\n')])]);
    const left = readdirSync(join(server.state, 'backups')).sort();
    expect(left.length).toBe(10);
    expect(left[0]).toBe('20250104T000000Z-install-1');
  });

  describe('whose run was killed between swap and probe', () => {
    const killed = () =>
      run([
        group([main('good new\n')], {
          unit: 'demo.service',
          expect: { '/etc/demo/main.cf': sha256('old\n') },
          probe: [call('demo_die')],
        }),
      ]);

    beforeEach(async () => {
      server.activate('demo.service');
      server.write('/etc/demo/main.cf', 'old\n');
      const { result } = await killed();
      expect(result).toBeUndefined();
      expect(server.pending).toEqual(['demo']);
    });

    it('is reloaded and probed by the next run though its files are in place', async () => {
      const next = await run(
        [group([main('good new\n')], { unit: 'demo.service', probe: [call('demo_probe', 'new')] })],
        1,
      );
      expect(next.status).toBe(0);
      expect(server.systemctlCalls).toEqual(['reload demo.service', 'reload demo.service']);
      expect(server.pending).toEqual([]);
      expect(server.manifest).toMatchObject({ files: [{ sha256: sha256('good new\n') }] });
    });

    it('is put back to the last proven set when the next probe fails', async () => {
      const files = [main('good newer\n')];
      const expectNew = { '/etc/demo/main.cf': sha256('good new\n') };
      const probe = [call('demo_probe', 'never')];
      const next = await run([group(files, { unit: 'demo.service', expect: expectNew, probe })], 1);
      expect(next.result?.code).toBe(1);
      expect(server.read('/etc/demo/main.cf')).toBe('old\n');
    });
  });
});

describe('what undo would put back', () => {
  const generation = () => (typeof server.manifest === 'string' ? 0 : server.manifest.generation);
  const lastRun = () => {
    const script = lastBackup.script.replaceAll('/var/lib/smtp-setup/backups', join(server.state, 'backups'));
    return lastBackup.parse({
      code: 0,
      stdout: spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout,
    });
  };
  const other = (id: string, content: string, expect: string, more: Call[] = []) =>
    step(
      `files-${id}`,
      [
        call('group_begin', id),
        call('put', `/etc/${id}.cf`, '0644', owner, expect),
        call('group_swap'),
        ...more,
        call('group_done'),
      ],
      [file(`/etc/${id}.cf`, content)],
    );

  it('is nothing while the setup is not whole, however many tries that takes', async () => {
    server.write('/etc/two.cf', 'stock\n');
    const stock = sha256('stock\n');
    const fails = [call('demo_probe', 'nothing')];
    expect((await run([other('one', 'ours\n', 'absent'), other('two', 'ours\n', stock, fails)])).status).toBe(
      1,
    );
    expect(server.read('/etc/two.cf')).toBe('stock\n');
    expect(lastRun()?.first).toBe(true);
    // A mailbox may be added before the second try.
    expect((await run([step('mailbox', [call('changed')])], 1)).status).toBe(0);
    expect((await run([other('two', 'ours\n', stock)], generation())).status).toBe(0);
    expect(lastRun()).toMatchObject({ first: true, files: [{ path: '/etc/two.cf' }] });
    expect((await run([other('two', 'newer\n', sha256('ours\n'))], generation())).status).toBe(0);
    expect(lastRun()).toMatchObject({ first: false, files: [{ copy: { sha256: sha256('ours\n') } }] });
  });
});
