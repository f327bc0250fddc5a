import { describe, expect, it } from 'vitest';
import type { Component, ExtraStep } from '../../../src/components/component.js';
import type { FirewallModel, ServerModel } from '../../../src/components/model.js';
import type { SetupError } from '../../../src/errors.js';
import type { ManifestEntry, ServerState } from '../../../src/facts/server-state.js';
import type { UnitState } from '../../../src/facts/units.js';
import type { WatchedFile } from '../../../src/facts/watched-files.js';
import { sha256 } from '../../../src/lib/sha256.js';
import { canCertifyEarly, certifyDuringInstall } from '../../../src/plan/arrange-steps.js';
import {
  buildServerPlan,
  listChangedPaths,
  type PlanInput,
  refuseConflicts,
} from '../../../src/plan/build-server-plan.js';
import type { ServerStep } from '../../../src/plan/step.js';

const running: UnitState = { active: 'active', sub: 'running', enabled: 'enabled' };
const before = { hostname: 'before' } as ServerModel;
const after = { hostname: 'after' } as ServerModel;

function component(id: string, more: Partial<Component> = {}): Component {
  const path = `/etc/${id}.conf`;
  return {
    id,
    title: id.toUpperCase(),
    needs: [],
    applies: () => true,
    packages: () => [id],
    files: () => [{ path, mode: '0644', owner: 'root:root', content: `${id}\n`, group: id }],
    units: () => [{ name: `${id}.service`, onChange: 'reload' }],
    ports: () => [],
    watch: [path],
    validate: () => [{ fn: `${id}_validate`, args: [] }],
    probe: () => [{ fn: `${id}_probe`, args: ['x'] }],
    steps: () => [],
    ...more,
  };
}

function onDisk(content: string, more: Partial<WatchedFile> = {}): WatchedFile {
  return {
    type: 'file',
    mode: '0644',
    owner: 'root:root',
    sha256: sha256(content),
    pristine: false,
    ...more,
  };
}

function entry(id: string, content: string): ManifestEntry {
  return { path: `/etc/${id}.conf`, sha256: sha256(content), mode: '0644', owner: 'root:root', group: id };
}

interface World {
  packages?: string[];
  units?: Record<string, UnitState>;
  files?: Record<string, WatchedFile>;
  manifest?: ManifestEntry[];
  pending?: string[];
}

function input(components: Component[], world: World, more: Partial<PlanInput> = {}): PlanInput {
  const state: ServerState = {
    manifest: world.manifest ? { schema: 1, generation: 4, files: world.manifest } : 'absent',
    generation: world.manifest ? 4 : 0,
    pending: world.pending ?? [],
    runs: [],
  };
  return {
    model: before,
    components,
    facts: {
      packages: new Map(
        (world.packages ?? []).map((name) => [name, { version: '1', installed: true, held: false }]),
      ),
      units: new Map(Object.entries(world.units ?? {})),
      files: new Map(Object.entries(world.files ?? {})),
      state,
    },
    ...more,
  };
}

const done: World = {
  packages: ['a', 'b'],
  units: { 'a.service': running, 'b.service': running },
  files: { '/etc/a.conf': onDisk('a\n'), '/etc/b.conf': onDisk('b\n') },
  manifest: [entry('a', 'a\n'), entry('b', 'b\n')],
};

describe('the server plan', () => {
  it('installs, configures and starts everything on a fresh server', () => {
    const plan = buildServerPlan(input([component('a'), component('b')], {}));
    expect(plan.generation).toBe(0);
    expect(plan.steps.map(({ id, run, title, reason }) => [id, run, title, reason])).toEqual([
      ['packages', 'install', 'Install 2 packages', 'not installed'],
      ['files-a', 'install', 'Configure A', '1 new file'],
      ['files-b', 'install', 'Configure B', '1 new file'],
    ]);
    expect(plan.steps[0]?.calls).toEqual([{ fn: 'packages_install', args: ['a', 'b'] }]);
    expect(plan.steps[1]?.calls).toEqual([
      { fn: 'group_begin', args: ['a'] },
      { fn: 'put', args: ['/etc/a.conf', '0644', 'root:root', 'absent'] },
      { fn: 'unit', args: ['a.service', 'reload'] },
      { fn: 'a_validate', args: [] },
      { fn: 'group_swap', args: [] },
      { fn: 'group_reload', args: [] },
      { fn: 'a_probe', args: ['x'] },
      { fn: 'group_done', args: [] },
    ]);
    expect(plan.steps[1]?.preview).toEqual(['--- /dev/null', '+++ /etc/a.conf', '@@ -0,0 +1 @@', '+a']);
  });

  it('is empty when everything is as it should be', () => {
    const plan = buildServerPlan(input([component('a'), component('b')], done, { target: after }));
    expect(plan).toEqual({ generation: 4, steps: [], conflicts: [], manual: [] });
  });

  it('leaves out components that do not apply', () => {
    const plan = buildServerPlan(input([component('a'), component('b', { applies: () => false })], {}));
    expect(plan.steps.map(({ id }) => id)).toEqual(['packages', 'files-a']);
  });

  it('takes back what no longer applies: its daemon, its files as they were written, and nothing that others use', () => {
    const shared = { units: () => [{ name: 'a.service', onChange: 'reload' as const }] };
    const leaving = component('b', { applies: () => false });
    const plan = buildServerPlan(
      input([component('a'), leaving, component('c', { ...shared, applies: () => false })], {
        ...done,
        manifest: [...(done.manifest ?? []), entry('c', 'c\n')],
      }),
    );
    expect(plan.steps).toMatchObject([
      {
        id: 'leave-c',
        calls: expect.arrayContaining([
          { fn: 'uninstall_units', args: [] },
          { fn: 'unit', args: ['a.service', 'reload'] },
        ]),
      },
      { id: 'leave-b', run: 'install', preview: ['- /etc/b.conf'] },
    ]);
    expect(plan.steps[1]?.calls).toEqual([
      { fn: 'uninstall_units', args: ['b.service'] },
      { fn: 'group_begin', args: ['b'] },
      { fn: 'remove', args: ['/etc/b.conf', sha256('b\n')] },
      { fn: 'group_swap', args: [] },
      { fn: 'uninstall_path', args: ['/etc/b.conf'] },
      { fn: 'group_reload', args: [] },
      { fn: 'group_done', args: [] },
      { fn: 'uninstall_reload', args: ['b.service'] },
    ]);
    const edited = { ...done, files: { ...done.files, '/etc/b.conf': onDisk('by hand\n') } };
    expect(buildServerPlan(input([component('a'), leaving], edited)).steps).toEqual([]);
    const noted = { ...done, manifest: [entry('a', 'a\n')] };
    expect(buildServerPlan(input([component('a'), leaving], noted)).steps).toEqual([]);
  });

  it('installs only what is missing, half-installed packages included', () => {
    const world = { ...done, packages: ['a'] };
    const plan = buildServerPlan(input([component('a'), component('b')], world));
    expect(plan.steps.map(({ title }) => title)).toEqual(['Install b']);
  });

  it('shows what changes in a file of ours, and gives the run the hash it must find there', () => {
    const world = {
      ...done,
      files: { ...done.files, '/etc/a.conf': onDisk('old\n') },
      manifest: [entry('a', 'old\n')],
    };
    const one = input([component('a'), component('b')], world, {
      contents: new Map([['/etc/a.conf', 'old\n']]),
    });
    expect(listChangedPaths(one)).toEqual(['/etc/a.conf']);
    const plan = buildServerPlan(one);
    expect(plan.steps).toHaveLength(1);
    expect(plan.steps[0]).toMatchObject({ id: 'files-a', reason: '1 file differs' });
    expect(plan.steps[0]?.preview).toEqual([
      '--- /etc/a.conf',
      '+++ /etc/a.conf',
      '@@ -1 +1 @@',
      '-old',
      '+a',
    ]);
    expect(plan.steps[0]?.calls[1]?.args).toEqual(['/etc/a.conf', '0644', 'root:root', sha256('old\n')]);
  });

  it('mends mode and owner', () => {
    const world = { ...done, files: { ...done.files, '/etc/a.conf': onDisk('a\n', { mode: '0600' }) } };
    const plan = buildServerPlan(input([component('a'), component('b')], world));
    expect(plan.steps[0]?.preview).toEqual(['/etc/a.conf: 0600 root:root → 0644 root:root']);
  });

  it('replaces a package default without a question', () => {
    const world = {
      ...done,
      files: { ...done.files, '/etc/a.conf': onDisk('default\n', { pristine: true }) },
      manifest: [],
    };
    const plan = buildServerPlan(input([component('a'), component('b')], world));
    expect([plan.steps.length, plan.conflicts.length]).toEqual([1, 0]);
  });

  it('writes a managed file that was deleted again', () => {
    const world = { ...done, files: { '/etc/b.conf': onDisk('b\n') } };
    expect(buildServerPlan(input([component('a'), component('b')], world)).steps[0]?.reason).toBe(
      '1 new file',
    );
  });

  it('starts and enables what is stopped, failed or disabled, with the probes of its component', () => {
    const units = {
      'a.service': { ...running, active: 'failed' },
      'b.service': { ...running, enabled: 'disabled' },
    };
    const plan = buildServerPlan(input([component('a'), component('b')], { ...done, units }));
    expect(plan.steps.map(({ id, reason }) => [id, reason])).toEqual([
      ['units-a', 'a.service is failed'],
      ['units-b', 'b.service is disabled'],
    ]);
    expect(plan.steps[0]?.calls).toEqual([
      { fn: 'unit_running', args: ['a.service'] },
      { fn: 'a_probe', args: ['x'] },
    ]);
  });

  it('does not ask whether an instance is enabled', () => {
    const instance = component('a', { units: () => [{ name: 'a@-.service', onChange: 'reload' }] });
    const units = { 'a@-.service': { ...running, enabled: 'disabled' } };
    expect(buildServerPlan(input([instance], { ...done, units })).steps).toEqual([]);
  });

  it('proves a group again whose run died before its probe', () => {
    const plan = buildServerPlan(
      input([component('a'), component('b')], { ...done, manifest: [], pending: ['a'] }),
    );
    expect(plan.steps.map(({ id, reason }) => [id, reason])).toEqual([
      ['files-a', 'an earlier run ended before its change was proven'],
    ]);
    expect(plan.steps[0]?.calls[1]?.args[3]).toBe('same');
  });

  it('counts what an unproven run wrote as ours', () => {
    const world = {
      ...done,
      files: { ...done.files, '/etc/a.conf': onDisk('half way\n') },
      manifest: [],
      pending: ['a'],
    };
    const plan = buildServerPlan(input([component('a'), component('b')], world));
    expect(plan.conflicts).toEqual([]);
    expect(plan.steps.map(({ id }) => id)).toEqual(['files-a']);
  });

  it('removes files of ours that are no longer wanted, but not edited ones', () => {
    const old = { ...entry('a', 'x\n'), path: '/etc/a-old.conf' };
    const edited = { ...entry('a', 'y\n'), path: '/etc/a-edited.conf' };
    const world = {
      ...done,
      files: { ...done.files, '/etc/a-old.conf': onDisk('x\n'), '/etc/a-edited.conf': onDisk('by hand\n') },
      manifest: [...(done.manifest ?? []), old, edited],
    };
    const plan = buildServerPlan(input([component('a'), component('b')], world));
    expect(plan.steps[0]?.reason).toBe('1 no longer needed');
    expect(plan.steps[0]?.calls.filter(({ fn }) => fn === 'remove')).toEqual([
      { fn: 'remove', args: ['/etc/a-old.conf', sha256('x\n')] },
    ]);
  });

  it('lets what starts slowly begin beside the installation of the rest', () => {
    const slow = component('slow', { needs: ['base'], early: 1 });
    const parts = [component('base'), component('plain'), slow, component('user', { needs: ['slow'] })];
    const { steps } = buildServerPlan(input(parts, {}));
    expect(steps.map(({ id, after }) => [id, after])).toEqual([
      ['packages-early-1', []],
      ['packages', ['packages-early-1']],
      ['files-base', ['packages-early-1']],
      ['files-plain', ['packages-early-1', 'packages']],
      ['files-slow', ['packages-early-1', 'files-base']],
      ['files-user', ['packages-early-1', 'packages', 'files-slow', 'files-base']],
    ]);
    // Judged and downloaded as one, installed in two.
    expect(steps.slice(0, 2).flatMap(({ calls }) => calls)).toEqual([
      { fn: 'packages_fetch', args: ['base', 'plain', 'slow', 'user'] },
      { fn: 'packages_install', args: ['base', 'slow'] },
      { fn: 'packages_install', args: ['plain', 'user'] },
    ]);
  });

  it('configures beside each other what is only proven together', () => {
    const parts = [
      component('base'),
      component('plain'),
      component('user', { provenWith: ['base'], early: 1 }),
    ];
    const { steps } = buildServerPlan(input(parts, {}));
    expect(steps.map(({ id, after }) => [id, after])).toEqual([
      ['packages-early-1', []],
      ['packages', ['packages-early-1']],
      ['files-base', ['packages-early-1', 'packages']],
      ['files-plain', ['packages-early-1', 'packages']],
      ['files-user', ['packages-early-1']],
    ]);
  });

  it('orders extra steps: after the packages, after the own files, after all services, then the later runs', () => {
    const extra = (id: string, run: ExtraStep['run'], at: ExtraStep['after']): ExtraStep => ({
      id,
      run,
      after: at,
      title: id,
      reason: 'needed',
      calls: [],
    });
    const a = component('a', {
      steps: () => [
        extra('a-services', 'install', 'services'),
        extra('a-keys', 'install', 'packages'),
        extra('a-files', 'install', 'files'),
        extra('a-cert', 'certify', 'services'),
        extra('a-live', 'golive', 'services'),
      ],
    });
    const plan = buildServerPlan(input([a, component('b')], {}));
    expect(plan.steps.map(({ id, run }) => `${run} ${id}`)).toEqual([
      'install packages',
      'install a-keys',
      'install files-a',
      'install a-files',
      'install files-b',
      'install a-services',
      'certify a-cert',
      'golive a-live',
    ]);
  });

  it('asks for certificates within the first run: behind what they need, before what serves them', () => {
    const certify: ExtraStep = {
      id: 'a-cert',
      run: 'certify',
      after: 'services',
      title: 'A',
      reason: 'none yet',
      calls: [{ fn: 'a_issue', args: [] }],
    };
    const a = component('a', { steps: () => [certify] });
    const steps = certifyDuringInstall(
      buildServerPlan(input([a, component('b', { needs: ['a'] }), component('c')], {}, { target: after }))
        .steps,
    );
    expect(steps.filter(({ run }) => run === 'certify')).toEqual([]);
    expect(steps.find(({ id }) => id === 'a-cert')).toMatchObject({
      run: 'install',
      mayFail: true,
      after: ['packages', 'files-a'],
    });
    const ids = steps.map(({ id }) => id);
    expect(ids.indexOf('a-cert')).toBe(ids.indexOf('files-a') + 1);
    expect(steps.find(({ id }) => id === 'files-b')?.after).toContain('a-cert');
    expect(steps.find(({ id }) => id === 'files-c')?.after).not.toContain('a-cert');
  });

  it.each(['files', 'units'])(
    'asks behind the steps whose proof it awaits, which a step of its own in front would keep from beginning: %s',
    (kind) => {
      const step = (id: string, more: Partial<ServerStep>): ServerStep => ({
        id,
        run: 'install',
        title: id,
        reason: 'test',
        calls: [],
        ...more,
      });
      const awaiting = [{ fn: 'await_proof', args: ['b'] }];
      const steps = certifyDuringInstall([
        step('alone', {}),
        step(`${kind}-b`, { after: [] }),
        step('files-c', { after: [] }),
        step('a-cert', { run: 'certify', after: [], calls: awaiting }),
      ]);
      expect(steps.map(({ id }) => id)).toEqual(['alone', `${kind}-b`, 'a-cert', 'files-c']);
    },
  );

  it.each([
    ['off', [], true],
    ['own', [], true],
    ['ufw', [22], false],
    ['ufw', [22, 80], true],
    ['firewalld', [22], false],
    ['chains', [22, 443], false],
  ] as const)('does so with a filter of kind %s that lets in %j: %s', (kind, open, early) => {
    expect(canCertifyEarly({ kind, open } as unknown as FirewallModel)).toBe(early);
  });

  it('leaves to the last run what differs only once all is live, on top of what the first wrote', () => {
    const a = component('a', {
      files: (model) => [
        { path: '/etc/a.conf', mode: '0644', owner: 'root:root', content: `${model.hostname}\n`, group: 'a' },
      ],
    });
    const plan = buildServerPlan(input([a, component('b')], {}, { target: after }));
    expect(plan.steps.map(({ id, run }) => `${run} ${id}`)).toEqual([
      'install packages',
      'install files-a',
      'install files-b',
      'golive files-a',
    ]);
    const last = plan.steps.at(-1);
    expect(last?.preview).toEqual(['--- /etc/a.conf', '+++ /etc/a.conf', '@@ -1 +1 @@', '-before', '+after']);
    expect(last?.calls[1]?.args[3]).toBe(sha256('before\n'));
  });

  it('shows what the last run changes in a file that the first leaves alone', () => {
    const a = component('a', {
      files: (model) => [
        { path: '/etc/a.conf', mode: '0644', owner: 'root:root', content: `${model.hostname}\n`, group: 'a' },
      ],
    });
    const world = {
      ...done,
      files: { '/etc/a.conf': onDisk('before\n') },
      manifest: [entry('a', 'before\n')],
    };
    const one = input([a], world, { target: after, contents: new Map([['/etc/a.conf', 'before\n']]) });
    expect(listChangedPaths(one)).toEqual(['/etc/a.conf']);
    const plan = buildServerPlan(one);
    expect(plan.steps.map(({ id, run }) => `${run} ${id}`)).toEqual(['golive files-a']);
    expect(plan.steps[0]?.preview?.slice(2)).toEqual(['@@ -1 +1 @@', '-before', '+after']);
  });

  it('refuses a server that a newer version manages', () => {
    const one = input([component('a')], done);
    const state: ServerState = { ...one.facts.state, manifest: { schema: 2, generation: 9, files: [] } };
    expect(() => buildServerPlan({ ...one, facts: { ...one.facts, state } })).toThrow(
      expect.objectContaining({ code: 'E_SERVER_NEWER', exit: 5 }),
    );
  });
});

describe('a file that somebody changed', () => {
  const edited = { ...done, files: { ...done.files, '/etc/a.conf': onDisk('by hand\n') } };
  const components = [component('a'), component('b')];
  const contents = new Map([['/etc/a.conf', 'by hand\n']]);

  it('stops the apply, with the difference', () => {
    const plan = buildServerPlan(input(components, edited, { contents }));
    expect(plan.conflicts).toEqual([
      {
        path: '/etc/a.conf',
        group: 'a',
        kind: 'edited',
        reason: 'changed since smtp-setup wrote it',
        diff: ['--- /etc/a.conf', '+++ /etc/a.conf', '@@ -1 +1 @@', '-by hand', '+a'],
      },
    ]);
    expect(() => refuseConflicts(plan)).toThrow(expect.objectContaining({ code: 'E_HAND_EDITED', exit: 1 }));
    expect(() => refuseConflicts(plan, 'keep')).not.toThrow();
  });

  it('of somebody else, as a whole, is not offered to be kept: it would not fit ours', () => {
    const fixes = (kind: 'edited' | 'foreign') => {
      const { conflicts, ...plan } = buildServerPlan(input(components, edited, { contents }));
      try {
        refuseConflicts({ ...plan, conflicts: conflicts.map((one) => ({ ...one, kind })) });
      } catch (error) {
        return (error as SetupError).fix.join('\n');
      }
      return '';
    };
    expect(fixes('edited')).toContain('--on-conflict keep');
    expect(fixes('foreign')).not.toContain('--on-conflict keep');
    expect(fixes('foreign')).toContain('--on-conflict take-over');
  });

  it('is kept if the user says so, and the next plan has nothing to do', () => {
    const plan = buildServerPlan(input(components, edited, { contents, onConflict: 'keep' }));
    expect(plan.steps).toEqual([]);
  });

  it('is staged as it is, when other files of its group change', () => {
    const two = component('a', {
      files: () => [
        { path: '/etc/a.conf', mode: '0644', owner: 'root:root', content: 'a\n', group: 'a' },
        { path: '/etc/a2.conf', mode: '0644', owner: 'root:root', content: 'a2\n', group: 'a' },
      ],
    });
    const plan = buildServerPlan(input([two, component('b')], edited, { onConflict: 'keep' }));
    expect(plan.steps[0]?.calls.slice(1, 3)).toEqual([
      { fn: 'keep', args: ['/etc/a.conf'] },
      { fn: 'put', args: ['/etc/a2.conf', '0644', 'root:root', 'absent'] },
    ]);
  });

  it('is taken over if the user says so', () => {
    const plan = buildServerPlan(input(components, edited, { contents, onConflict: 'take-over' }));
    expect(plan.steps[0]?.calls[1]?.args[3]).toBe(sha256('by hand\n'));
  });

  it('counts as foreign when it is not in the manifest', () => {
    const plan = buildServerPlan(input(components, { ...edited, manifest: [] }, { contents }));
    expect(plan.conflicts[0]?.kind).toBe('foreign');
  });

  it('is never taken over through a symbolic link', () => {
    const world = { ...done, files: { ...done.files, '/etc/a.conf': onDisk('', { type: 'link' }) } };
    const plan = buildServerPlan(input(components, world, { onConflict: 'take-over' }));
    expect([plan.conflicts[0]?.kind, plan.steps]).toEqual(['not-a-file', []]);
  });
});
