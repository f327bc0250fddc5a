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
      run: 'r1',
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
    '@20261124T132416Z-install-b4d3',
    `app ${hash} 0640 root:app ${place}/changed`,
    `app - - - ${place}/made`,
    `app ${hash} 0640 root:app /etc/../shadow`,
    `app ${hash} 0640 root:app ${place}/a b`,
    'nonsense',
  ].join('\n');
  expect(lastBackup.parse({ code: 0, stdout })).toEqual({
    run: '20261124T132416Z-install-b4d3',
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
