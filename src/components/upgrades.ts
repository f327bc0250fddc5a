import type { Component } from './component.js';
import type { Render } from './render.js';

/** Security updates by themselves, unless the server's owner has arranged for updates already. */
export function createUpgrades(render: Render): Component {
  return {
    id: 'upgrades',
    title: 'unattended-upgrades (security updates)',
    needs: [],
    applies: () => true,
    packages: ({ has }) => (has.ownUpgrades ? [] : ['unattended-upgrades']),
    files: ({ has, os }) =>
      has.ownUpgrades
        ? []
        : [
            {
              // After the package's own 50unattended-upgrades, which it amends.
              path: '/etc/apt/apt.conf.d/52smtp-setup-upgrades',
              mode: '0644',
              owner: 'root:root',
              group: 'upgrades',
              content: render('upgrades/apt.conf', { ubuntu: os.id === 'ubuntu' }),
            },
          ],
    // apt's own timers do the work; the package enables them.
    units: () => [],
    ports: () => [],
    watch: ['/etc/apt/apt.conf.d/52smtp-setup-upgrades'],
    validate: ({ has }) => (has.ownUpgrades ? [] : [{ fn: 'upgrades_validate', args: [] }]),
    probe: ({ has }) => (has.ownUpgrades ? [] : [{ fn: 'upgrades_probe', args: [] }]),
    steps: () => [],
  };
}
