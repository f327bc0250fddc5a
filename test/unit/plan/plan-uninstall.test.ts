import { describe, expect, it } from 'vitest';
import type { Component } from '../../../src/components/component.js';
import type { ServerModel } from '../../../src/components/model.js';
import type { Before } from '../../../src/facts/before.js';
import { planUninstall, type UninstallInput } from '../../../src/plan/plan-uninstall.js';

const component = (id: string, unit: string): Component => ({
  id,
  title: id,
  needs: [],
  applies: () => true,
  packages: () => [],
  files: () => [],
  units: () => [{ name: unit, onChange: 'reload' }],
  ports: () => [],
  watch: [],
  validate: () => [],
  probe: () => [],
  steps: () => [],
});

const entry = (path: string) => ({ path, sha256: 'x', mode: '0644', owner: 'root:root', group: 'app' });
const noted: Before = {
  replaced: ['/etc/hosts'],
  added: ['/etc/app/ours.cf'],
  installed: ['app', 'gone'],
  removed: ['exim4'],
};

function plan(more: Partial<UninstallInput> = {}, facts: Partial<UninstallInput['facts']> = {}) {
  return planUninstall({
    components: [component('dns', 'dns.service'), component('app', 'app@-.service')],
    model: {} as ServerModel,
    removePackages: false,
    discardQueue: false,
    ...more,
    facts: {
      state: {
        manifest: {
          schema: 1,
          generation: 3,
          files: [
            entry('/etc/app/ours.cf'),
            entry('/etc/app/old.cf'),
            entry('/etc/systemd/system/own.service'),
            entry('/etc/systemd/system/app.service.d/x.conf'),
          ],
        },
        generation: 3,
        pending: [],
        runs: [],
      },
      before: noted,
      packages: new Map([['app', { version: '1', installed: true, held: false }]]),
      accounts: {
        prepared: true,
        sendsOnly: false,
        mailboxes: ['ada@example.org'],
        disabled: [],
        quotas: [],
        logins: [],
        domains: ['example.org'],
        aliases: [],
        mapType: 'hash',
      },
      ...facts,
    },
  });
}

describe('planUninstall', () => {
  it('stops in reverse order, puts back what was, and removes what nothing is known of', () => {
    const { steps, notes } = plan();
    expect(steps.flatMap(({ calls }) => calls)).toEqual([
      { fn: 'uninstall_queue', args: ['0'] },
      { fn: 'uninstall_resolver', args: [] },
      { fn: 'uninstall_units', args: ['own.service', 'app@-.service', 'app.service', 'dns.service'] },
      { fn: 'uninstall_components', args: ['app', 'dns'] },
      {
        fn: 'uninstall_files',
        args: [
          '/etc/app/old.cf',
          '/etc/systemd/system/own.service',
          '/etc/systemd/system/app.service.d/x.conf',
        ],
      },
      { fn: 'uninstall_services', args: ['own.service', 'app@-.service', 'app.service', 'dns.service'] },
      { fn: 'uninstall_end', args: [] },
    ]);
    expect(notes.join('\n')).toContain('--remove-packages');
  });

  it('removes packages with consent only, and names those that come back', () => {
    const { steps } = plan({ removePackages: true, discardQueue: true });
    const packages = steps.find(({ id }) => id === 'uninstall-packages');
    expect(packages?.preview).toEqual(['- app', '+ exim4']);
    expect(packages?.title).toContain('install exim4 again');
    expect(steps[0]?.calls[0]?.args).toEqual(['1']);
  });

  it('clears away what packages left that are gone already, as a run that was killed leaves it', () => {
    const noneLeft = { before: { ...noted, removed: [] }, packages: new Map() };
    expect(plan({ removePackages: true }, noneLeft).steps.map(({ id }) => id)).toContain(
      'uninstall-packages',
    );
    const noneCame = { before: { ...noted, installed: [], removed: [] } };
    expect(plan({ removePackages: true }, noneCame).steps.map(({ id }) => id)).not.toContain(
      'uninstall-packages',
    );
  });

  it('says when nothing is known of before', () => {
    const { steps, notes } = plan({ removePackages: true }, { before: undefined });
    expect(steps.map(({ id }) => id)).not.toContain('uninstall-packages');
    expect(notes.join('\n')).toContain('is not known');
  });

  it('has nothing to do where smtp-setup is not', () => {
    const state = { manifest: 'absent' as const, generation: 0, pending: [], runs: [] };
    expect(plan({}, { state })).toEqual({ steps: [], notes: [] });
  });
});
