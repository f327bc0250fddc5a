import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CompileOptions, compileRuns } from '../../../src/plan/compile-runs.js';
import type { ServerStep } from '../../../src/plan/step.js';
import { library } from '../../helpers/local-run.js';

const options: CompileOptions = {
  idOf: (run) => `20261124T101500Z-${run}-7`,
  generation: 4,
  who: 'ada@laptop pid 7',
  library: new Map([
    ['core.sh', '# core\n'],
    ['zoo.sh', '# zoo\n'],
    ['apple.sh', '# apple\n'],
    ['stop-post.sh', '# stop\n'],
    ['policy-rc.d', '#!/bin/sh\n'],
  ]),
};

const steps: ServerStep[] = [
  {
    id: 'packages',
    run: 'install',
    title: 'Install 2 packages',
    reason: 'not installed',
    calls: [{ fn: 'packages_install', args: ['postfix', 'dovecot-core'] }],
  },
  {
    id: 'files-demo',
    run: 'install',
    title: "Configure Ada's demo",
    reason: '1 new file',
    calls: [
      { fn: 'group_begin', args: ['demo'] },
      { fn: 'put', args: ['/etc/demo/main.cf', '0644', 'root:root', 'absent'] },
      { fn: 'demo_probe', args: ["it's $(id) `id`", ''] },
    ],
    files: [{ path: '/etc/demo/main.cf', mode: '0644', owner: 'root:root', content: 'x\n', group: 'demo' }],
  },
  { id: 'live', run: 'golive', title: 'Sign', reason: 'DNS is ready', calls: [{ fn: 'sign_on', args: [] }] },
];

describe('compiled runs', () => {
  it('run steps beside each other where they say what they wait for', () => {
    const named = (id: string, more: Partial<ServerStep> = {}): ServerStep => ({
      id,
      run: 'install',
      title: id,
      reason: 'test',
      calls: [{ fn: 'demo', args: [id] }],
      ...more,
    });
    const [run] = compileRuns(
      [
        named('a', { after: [] }),
        named('b', { after: ['a', 'elsewhere'], mayFail: true }),
        named('c'),
        named('d', { after: ['a', 'c'] }),
        named('e', { after: ['d'] }),
      ],
      options,
    );
    expect(run?.script.split('run_begin')[1]?.split('\n').slice(1)).toEqual(
      `
(
after
step 1 a a
call demo a
step_done
) & aside 1

(
after 1
may_fail
step 2 b b
call demo b
step_done
) & aside 2

together

step 3 c c
call demo c
step_done

(
after
step 4 d d
call demo d
step_done
) & aside 4

(
after 4
step 5 e e
call demo e
step_done
) & aside 5

run_end
`.split('\n'),
    );
  });

  it('read as numbered steps that call the library with literals', () => {
    const [install] = compileRuns(steps, options);
    expect(install?.script).toBe(`#!/bin/sh
# smtp-setup run 20261124T101500Z-install-7, install, planned on generation 4 of this server:
#  1. Install 2 packages
#  2. Configure Ada's demo
# It only calls functions of lib/*.sh; each looks first and skips what is done. Events, log and result lie beside it.
set -u
RUN_DIR=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
. "$RUN_DIR/lib/core.sh"
. "$RUN_DIR/lib/manifest.sh"
. "$RUN_DIR/lib/files.sh"
. "$RUN_DIR/lib/units.sh"
. "$RUN_DIR/lib/packages.sh"
. "$RUN_DIR/lib/apple.sh"
. "$RUN_DIR/lib/zoo.sh"

run_begin 20261124T101500Z-install-7 install 4 2

step 1 packages 'Install 2 packages'
call packages_install postfix dovecot-core
step_done

step 2 files-demo 'Configure Ada'\\''s demo'
call group_begin demo
call put '/etc/demo/main.cf' 0644 root:root absent
call demo_probe 'it'\\''s $(id) \`id\`' ''
step_done

run_end
`);
  });

  it('are one a name, in order, each on the generation that the one before leaves', () => {
    const runs = compileRuns(steps, options);
    expect(runs.map(({ name, generation, installs }) => [name, generation, installs])).toEqual([
      ['install', 4, true],
      ['golive', 5, false],
    ]);
    expect(compileRuns([], options)).toEqual([]);
  });

  it('carry the library, the files and who started them', () => {
    const [install] = compileRuns(steps, { ...options, who: 'ada\nname=forged@laptop pid 7' });
    const text = (path: string) => install?.files.find((file) => file.path === path)?.content;
    expect(install?.files.map(({ path, mode }) => `${mode.toString(8)} ${path}`)).toEqual([
      '700 script',
      '600 meta',
      '600 lib/core.sh',
      '600 lib/zoo.sh',
      '600 lib/apple.sh',
      '600 lib/stop-post.sh',
      '755 lib/policy-rc.d',
      '600 files/etc/demo/main.cf',
    ]);
    expect(text('files/etc/demo/main.cf')).toBe('x\n');
    expect(text('meta')).toBe(
      'id=20261124T101500Z-install-7\nname=install\nwho=ada?name=forged@laptop pid 7\ngeneration=4\n',
    );
  });

  it('hold secrets apart from everything that stays on the server', () => {
    const secrets = { install: [{ name: 'password', value: 'marker-91c2' }] };
    const [install] = compileRuns(steps, { ...options, secrets });
    expect(install?.secrets).toEqual(secrets.install);
    expect(JSON.stringify(install?.files)).not.toContain('marker-91c2');
  });

  it('refuse names that could mean something else', () => {
    const [step] = steps;
    const bad = (change: Partial<ServerStep>) => () =>
      compileRuns([{ ...(step as ServerStep), ...change }], options);
    expect(bad({ calls: [{ fn: 'rm -rf', args: [] }] })).toThrow('not a library function');
    const file = { mode: '0644', owner: 'root:root', content: '', group: 'x' };
    for (const path of ['etc/x', '/etc/../x', '/etc/a b', '/etc/"x', '/etc/x/', '/.', '/etc/\n']) {
      expect(bad({ files: [{ ...file, path }] }), path).toThrow('not a managed path');
    }
    expect(() => compileRuns(steps, { ...options, idOf: () => '../x' })).toThrow('not a run id');
    const secrets = { install: [{ name: '../x', value: '' }] };
    expect(() => compileRuns(steps, { ...options, secrets })).toThrow("not a secret's name");
  });

  it('pass every argument unchanged, whatever is in it', () => {
    const args = fc
      .sample(fc.string({ unit: 'binary' }), { numRuns: 500, seed: 1 })
      .filter((text) => !text.includes('\0'));
    const title = "# $(touch /nowhere)\nrm -rf '";
    const call = { fn: 'show', args };
    const [run] = compileRuns([{ id: 'x', run: 'install', title, reason: '', calls: [call] }], options);
    const body = run?.script
      .split('\n')
      .filter((line) => !line.startsWith('. "$RUN_DIR'))
      .join('\n');
    const prelude = `run_begin() { :; }; step() { :; }; step_done() { :; }; run_end() { :; }; call() { shift; printf '%s\\0' "$@"; }\n`;
    const result = spawnSync('sh', ['-s'], { input: prelude + body });
    expect(result.stdout.toString().split('\0').slice(0, -1)).toEqual(args);
  });
});

describe('shellcheck', () => {
  const ignored = 'SC3043,SC2034,SC2153,SC2154,SC2015,SC1091,SC2016';

  it('finds nothing in the run library, the start script and a compiled script', () => {
    const folder = mkdtempSync(join(tmpdir(), 'smtp-setup-check-'));
    try {
      const templates = join(import.meta.dirname, '../../../templates/run');
      const [run] = compileRuns(steps, { ...options, library });
      writeFileSync(join(folder, 'script'), run?.script ?? '');
      const files = readdirSync(templates).filter((name) => /\.sh$|policy-rc\.d$/.test(name));
      const paths = [...files.map((name) => join(templates, name)), join(folder, 'script')];
      const result = spawnSync('shellcheck', ['-s', 'sh', '-e', ignored, ...paths]);
      expect(result.stdout.toString()).toBe('');
      expect(files.length).toBeGreaterThan(6);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
