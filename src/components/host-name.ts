import type { Component } from './component.js';
import { primaryDomain } from './model.js';

/** The machine calls itself by the name that its PTR record shows, also after a reboot under cloud-init. */
export function createHostName(): Component {
  return {
    id: 'host-name',
    title: 'Host name',
    needs: [],
    applies: () => true,
    packages: () => [],
    files: () => [],
    units: () => [],
    ports: () => [],
    watch: [],
    validate: () => [],
    probe: () => [],
    steps: (model) =>
      model.has.hostName
        ? []
        : [
            {
              id: 'host-name',
              run: 'install',
              after: 'packages',
              title: `Set the host name ${model.hostname}`,
              reason: 'the static host name, /etc/hosts or /etc/mailname says something else',
              calls: [{ fn: 'host_name_set', args: [model.hostname, primaryDomain(model)] }],
            },
          ],
  };
}
