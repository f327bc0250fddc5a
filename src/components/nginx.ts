import type { Component } from './component.js';
import { nginxWord } from './escape.js';
import type { Render } from './render.js';

/** The web server, for the certificate authority's HTTP-01 question. */
export function createNginx(render: Render): Component {
  return {
    id: 'nginx',
    title: 'nginx (ACME challenges on 80)',
    needs: [],
    applies: () => true,
    packages: () => ['nginx'],
    files: (model) => [
      {
        path: '/etc/nginx/conf.d/smtp-setup.conf',
        mode: '0644',
        owner: 'root:root',
        group: 'nginx',
        content: render('nginx/smtp-setup.conf', {
          names: nginxWord(model.hostname),
          ipv6: model.ipv6,
          catchAll: !model.has.foreignWebDefault,
        }),
      },
    ],
    units: () => [{ name: 'nginx.service', onChange: 'reload' }],
    ports: () => [80],
    watch: ['/etc/nginx/conf.d/smtp-setup.conf'],
    validate: () => [{ fn: 'nginx_validate', args: [] }],
    probe: (model) => [{ fn: 'nginx_probe_acme', args: [model.hostname] }],
    steps: (model) =>
      model.has.webReady
        ? []
        : [
            {
              id: 'nginx-prepare',
              run: 'install',
              after: 'packages',
              title: 'Prepare the web root',
              reason:
                "there is no folder for ACME challenges, or the distribution's welcome page is still on",
              calls: [{ fn: 'nginx_prepare', args: [] }],
            },
          ],
  };
}
