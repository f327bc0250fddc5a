import type { Component } from './component.js';
import { nginxAddress, nginxWord } from './escape.js';
import type { ServerModel } from './model.js';
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
        path: sitePath(model, 'smtp-setup'),
        mode: '0644',
        owner: 'root:root',
        group: 'nginx',
        content: render('nginx/smtp-setup.conf', {
          names: nginxWord(model.hostname),
          everywhere: model.has.foreignWebDefault ? [] : listenEverywhere(model, 80),
          http: listenOn(model, 80),
        }),
      },
    ],
    units: () => [{ name: 'nginx.service', onChange: 'reload' }],
    unitFiles: ['nginx.service'],
    ports: () => [80],
    watch: sitePaths('smtp-setup'),
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

/**
 * Where a file of ours goes. The site that nginx reads first answers for names that nobody claims; when that is somebody
 * else's, ours are read after it: sites-enabled comes after conf.d, and each folder is read by name.
 */
export function sitePath({ has }: ServerModel, name: string): string {
  return has.sitesBefore === undefined ? `/etc/nginx/conf.d/${name}.conf` : behind(has.sitesBefore, name);
}

/** What stands behind `listen` for all addresses of a family. */
export function listenEverywhere({ ipv6, has }: ServerModel, port: 80 | 443): string[] {
  const alone = (has.siteAddresses ?? []).filter((one) => one.port === port && one.alone);
  return [
    ...(alone.some(({ address }) => !address.startsWith('[')) ? [] : [String(port)]),
    ...(!ipv6 || alone.some(({ address }) => address.startsWith('[')) ? [] : [`[::]:${port}`]),
  ];
}

/** What stands behind `listen` of each site of ours: everywhere, and where nginx would ask others alone. */
export function listenOn(model: ServerModel, port: 80 | 443): string[] {
  const single = (model.has.siteAddresses ?? []).filter((one) => one.port === port);
  return [
    ...listenEverywhere(model, port),
    ...single.map(({ address }) => nginxAddress(`${address}:${port}`)),
  ];
}

/** All places that {@link sitePath} may choose. */
export function sitePaths(name: string): string[] {
  return [
    `/etc/nginx/conf.d/${name}.conf`,
    ...['/etc/nginx/conf.d', '/etc/nginx/sites-enabled'].map((folder) => behind(folder, name)),
  ];
}

const behind = (folder: string, name: string): string => `${folder}/zz-${name}.conf`;
