import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import type { Component } from '../../../src/components/component.js';
import type { ServerModel } from '../../../src/components/model.js';
import { lastBackup } from '../../../src/facts/last-backup.js';
import type { WatchedFile } from '../../../src/facts/watched-files.js';
import { sha256 } from '../../../src/lib/sha256.js';
import { planUndo, type UndoInput, undoPaths } from '../../../src/plan/plan-undo.js';

const place = '/etc/app';
const copies = '/var/lib/smtp-setup/backups/r1/app/tree';

const component: Component = {
  id: 'app',
  title: 'App',
  needs: [],
  applies: () => false,
  packages: () => ['app'],
  files: () => [],
  units: () => [{ name: 'app.service', onChange: 'reload' }],
  ports: () => [],
  watch: [],
  validate: () => [{ fn: 'app_validate', args: [] }],
  probe: () => [{ fn: 'app_probe', args: [] }],
  steps: () => [{ id: 'x', run: 'install', after: 'files', title: 'x', reason: 'x', calls: [] }],
};

/** A server whose last run wrote `changed`, made `made`, removed `removed`, and left `kept`. */
function undo(more: { now?: string; contents?: Record<string, string>; copy?: string } = {}) {
  const now: Record<string, string> = { changed: more.now ?? 'new', made: 'made', kept: 'kept' };
  const written = { changed: 'new', made: 'made', kept: 'kept' };
  const found = (content: string): WatchedFile => ({
    type: 'file',
    mode: '0644',
    owner: 'root:root',
    sha256: sha256(content),
    pristine: false,
  });
  const copy = (name: string, content: string) => ({
    path: `${place}/${name}`,
    group: 'app',
    copy: { path: `${copies}${place}/${name}`, mode: '0640', owner: 'root:app', sha256: sha256(content) },
  });
  const input: UndoInput = {
    backup: {
      runs: ['r1'],
      first: false,
      files: [copy('changed', 'old'), copy('removed', 'gone'), { path: `${place}/made`, group: 'app' }],
    },
    components: [component, { ...component, id: 'other' }],
    model: {} as ServerModel,
    facts: {
      packages: new Map(),
      units: new Map([['app.service', { active: 'active', sub: 'running', enabled: 'enabled' }]]),
      files: new Map(Object.entries(now).map(([name, content]) => [`${place}/${name}`, found(content)])),
      state: {
        manifest: {
          schema: 1,
          generation: 3,
          files: Object.entries(written).map(([name, content]) => ({
            path: `${place}/${name}`,
            sha256: sha256(content),
            mode: '0644',
            owner: 'root:root',
            group: 'app',
          })),
        },
        generation: 3,
        pending: [],
        runs: [],
      },
    },
    contents: new Map(
      Object.entries({
        [`${copies}${place}/changed`]: more.copy ?? 'old',
        [`${copies}${place}/removed`]: 'gone',
        ...Object.fromEntries(Object.entries(now).map(([name, content]) => [`${place}/${name}`, content])),
      }),
    ),
  };
  return { input, plan: planUndo(input) };
}

it('puts back what was replaced or removed, removes what was made, and leaves the rest, in one proven step', () => {
  const { input, plan } = undo();
  expect(undoPaths(input)).toEqual(expect.arrayContaining([...input.contents.keys()]));
  expect(plan).toMatchObject({ conflicts: [], notes: [] });
  expect(plan.steps.map(({ id, run }) => `${run} ${id}`)).toEqual(['install files-app']);
  const [step] = plan.steps;
  expect(step?.calls).toEqual([
    { fn: 'group_begin', args: ['app'] },
    { fn: 'put', args: [`${place}/changed`, '0640', 'root:app', sha256('new')] },
    { fn: 'put', args: [`${place}/removed`, '0640', 'root:app', 'absent'] },
    { fn: 'put', args: [`${place}/kept`, '0644', 'root:root', 'same'] },
    { fn: 'remove', args: [`${place}/made`, sha256('made')] },
    { fn: 'unit', args: ['app.service', 'reload'] },
    { fn: 'app_validate', args: [] },
    { fn: 'group_swap', args: [] },
    { fn: 'group_reload', args: [] },
    { fn: 'app_probe', args: [] },
    { fn: 'group_done', args: [] },
  ]);
  expect(step?.files?.map(({ content }) => content)).toEqual(['old', 'gone', 'kept']);
});

it('does not overwrite what somebody changed since', () => {
  expect(undo({ now: 'by hand' }).plan.conflicts.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
    `${place}/changed edited`,
  ]);
});

it('puts nothing of a component back when a copy is not what it was', () => {
  const { plan } = undo({ copy: 'spoilt' });
  expect(plan.steps).toEqual([]);
  expect(plan.notes).toEqual(['App: a file or its copy cannot be read whole; nothing of it is put back.']);
});

it('reads the list of the last backup, and nothing that is out of form', () => {
  const hash = sha256('old');
  const stdout = [
    '@20261124T132416Z-install-b4d3 7',
    `app ${hash} 0640 root:app ${place}/changed`,
    `app - - - ${place}/made`,
    `app ${hash} 0640 root:app /etc/../shadow`,
    `app ${hash} 0640 root:app ${place}/a b`,
    'nonsense',
  ].join('\n');
  expect(lastBackup.parse({ code: 0, stdout })).toEqual({
    runs: ['20261124T132416Z-install-b4d3'],
    first: false,
    files: [
      {
        path: `${place}/changed`,
        group: 'app',
        copy: {
          path: `/var/lib/smtp-setup/backups/20261124T132416Z-install-b4d3/app/tree${place}/changed`,
          mode: '0640',
          owner: 'root:app',
          sha256: hash,
        },
      },
      { path: `${place}/made`, group: 'app' },
    ],
  });
  expect(lastBackup.parse({ code: 0, stdout: '' })).toBeUndefined();
});

it('takes the runs of one command together: what stood there before the first of them', () => {
  const [old, mid] = [sha256('old'), sha256('mid')];
  const line = (path: string, hash: string) => `app ${hash} 0640 root:app ${place}/${path}`;
  const read = (...lines: string[]) => lastBackup.parse({ code: 0, stdout: lines.join('\n') });
  const both = read(
    '@20261124T100000Z-install-0001 5',
    line('a', old),
    // Another command of a process that had the same number.
    '@20261124T130000Z-golive-0002 6',
    line('b', old),
    '@20261124T132400Z-install-0003 7',
    line('a', old),
    `app - - - ${place}/c`,
    '@20261124T132500Z-golive-0004 8',
    line('a', mid),
    line('c', mid),
    line('d', mid),
  );
  expect(both?.runs).toEqual(['20261124T132400Z-install-0003', '20261124T132500Z-golive-0004']);
  expect(both?.first).toBe(false);
  expect(both?.files.map(({ path, copy }) => `${path} ${copy?.sha256 ?? 'absent'}`)).toEqual([
    `${place}/a ${old}`,
    `${place}/c absent`,
    `${place}/d ${mid}`,
  ]);
  expect(both?.files[0]?.copy?.path).toContain('20261124T132400Z-install-0003');
  // Hours lie between them.
  expect(read('@20261124T100000Z-install-1 5', '@20261124T132500Z-golive-2 8')?.runs).toHaveLength(1);
  expect(read('@20261124T132400Z-install-1 0', '@20261124T132500Z-golive-2 1')?.first).toBe(true);
});

it('takes a command that finished a setup which had failed for part of it: undo would put stock files in its place', () => {
  const read = (...lines: string[]) =>
    lastBackup.parse({ code: 0, stdout: ['@20261124T132400Z-install-0003 1', ...lines].join('\n') })?.first;
  const bare = '+20261124T100000Z-install-0001/meta:generation=0';
  expect(read(bare, '+20261124T100000Z-install-0001/result:code=1')).toBe(true);
  // It was killed, and left no result.
  expect(read(bare)).toBe(true);
  expect(read(bare, '+20261124T100000Z-install-0001/result:code=0')).toBe(false);
  expect(
    read(
      bare,
      '+20261124T100000Z-install-0001/result:code=1',
      '+20261124T110000Z-install-0002/result:code=0',
      '+20261124T140000Z-golive-0004/result:code=1',
    ),
  ).toBe(false);
  // Set up, taken back, and set up anew.
  expect(
    read(
      '+20261123T100000Z-install-0001/meta:generation=0',
      bare,
      '+20261123T100000Z-install-0001/result:code=0',
      '+20261124T100000Z-install-0001/result:code=1',
    ),
  ).toBe(true);
  // How it began is not known any more.
  expect(read('+20261124T110000Z-install-0002/result:code=1')).toBe(false);
});

it('finds them on a server by the process that started them', () => {
  const state = mkdtempSync(join(tmpdir(), 'state-'));
  const store = join(state, 'backups');
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(store, path)), { recursive: true });
    writeFileSync(join(store, path), text);
  };
  const runs = ['20261124T132300Z-install-1', '20261124T132400Z-install-2', '20261124T132500Z-golive-3'];
  for (const [index, run] of runs.entries()) {
    write(`${run}/meta`, `id=${run}\nwho=ada@laptop pid ${index === 0 ? 1 : 2}\ngeneration=${index + 4}\n`);
    write(`${run}/app/list`, 'file /etc/app/a\nabsent /etc/app/b\n');
    write(`${run}/app/tree/etc/app/a`, `of ${run}`);
  }
  write('../runs/20261124T132200Z-install-0/meta', 'id=x\ngeneration=0\n');
  write('../runs/20261124T132200Z-install-0/result', 'run=install\ncode=1\n');
  write('../runs/20261124T132200Z-install-0/files/etc/app/a', '');
  // It brought no files: somebody added a mailbox.
  write('../runs/20261124T132230Z-install-0/result', 'run=install\ncode=0\n');
  const script = lastBackup.script.replaceAll('/var/lib/smtp-setup/backups', store);
  const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
  rmSync(state, { recursive: true });
  const found = lastBackup.parse({ code: 0, stdout });
  expect(found?.runs).toEqual(runs.slice(1));
  expect(found?.first).toBe(true);
  expect(lastBackup.parse({ code: 0, stdout: stdout.replace('result:code=1', 'result:code=0') })?.first).toBe(
    false,
  );
  expect(found?.files).toEqual([
    expect.objectContaining({ path: '/etc/app/a', group: 'app' }),
    { path: '/etc/app/b', group: 'app' },
  ]);
  expect(found?.files[0]?.copy?.sha256).toBe(sha256('of 20261124T132400Z-install-2'));
});
