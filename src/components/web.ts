import type { Component } from './component.js';
import { nginxWord, xmlText } from './escape.js';
import { type DomainModel, type DomainWeb, type ServerModel, webNames } from './model.js';
import { listenEverywhere, listenOn, sitePath, sitePaths } from './nginx.js';
import type { Render } from './render.js';

const folder = '/etc/smtp-setup/web';

type WebDomain = DomainModel & { web: DomainWeb };

/** What mail programs and senders fetch over HTTPS: settings and the MTA-STS policy, each domain with its own certificate. */
export function createWeb(render: Render): Component {
  return {
    id: 'web',
    title: 'the web pages of mail (settings, MTA-STS)',
    // Never the mail server's certificate: a web name that fails must not cost the mail its own.
    needs: ['nginx', 'certificates'],
    early: 2,
    // Elsewhere only to give up what is there.
    applies: (model) => model.profile === 'mailboxes' || model.has.webSites.length > 0,
    packages: () => [],
    files: (model) => webFiles(render, model),
    units: () => [{ name: 'nginx.service', onChange: 'reload' }],
    unitFiles: ['nginx.service'],
    ports: ({ profile }) => (profile === 'mailboxes' ? [443] : []),
    watch: [...sitePaths('smtp-setup-web'), `${folder}/*/*.*`],
    validate: () => [{ fn: 'nginx_validate', args: [] }],
    probe: (model) =>
      webDomains(model).flatMap((domain) =>
        webNames(domain).map((name) => ({ fn: 'web_probe', args: [name] })),
      ),
    steps: (model) => [...prepareStep(model), ...certificateStep(model), ...forgetStep(model)],
  };
}

function webDomains({ domains }: ServerModel): WebDomain[] {
  return domains.flatMap((domain) =>
    domain.web !== undefined && webNames(domain).length > 0 ? [{ ...domain, web: domain.web }] : [],
  );
}

function webFiles(render: Render, model: ServerModel) {
  const file = (path: string, content: string) => ({
    path,
    mode: '0644',
    owner: 'root:root',
    content,
    group: 'web',
  });
  const domains = webDomains(model);
  if (domains.length === 0) return [];
  return [
    file(
      sitePath(model, 'smtp-setup-web'),
      render('web/nginx.conf', {
        everywhere: model.has.foreignHttpsDefault ? [] : listenEverywhere(model, 443),
        http: listenOn(model, 80),
        https: listenOn(model, 443),
        domains: domains.map((domain) => ({
          name: nginxWord(domain.name),
          names: webNames(domain).map(serverName).join(' '),
          nameOf: (label: string) => serverName(`${label}.${domain.name}`),
          policy: domain.web.policy !== undefined,
          autoconfig: domain.web.autoconfig,
          autodiscover: domain.web.autodiscover,
        })),
      }),
    ),
    ...domains.flatMap(({ name, web }) => {
      const data = {
        domain: xmlText(name),
        host: xmlText(model.hostname),
        // An identifier that grows from the general to the particular, as Apple has them.
        identifier: xmlText(name.split('.').reverse().join('.')),
      };
      const page = (file_: string) => file(`${folder}/${name}/${file_}`, render(`web/${file_}`, data));
      return [
        ...(web.policy === undefined ? [] : [file(`${folder}/${name}/mta-sts.txt`, web.policy)]),
        ...(web.autoconfig ? [page('autoconfig.xml'), page('apple.mobileconfig')] : []),
        ...(web.autodiscover ? [page('autodiscover.xml')] : []),
      ];
    }),
  ];
}

/** nginx keeps exact names in a hash whose buckets a long one does not fit into; patterns are kept elsewhere. */
function serverName(name: string): string {
  return name.length <= longestHashed ? nginxWord(name) : `~^${nginxWord(name).replace(/\./g, '\\.')}$`;
}

const longestHashed = 40;

function prepareStep(model: ServerModel) {
  const missing = webDomains(model)
    .map(({ name }) => name)
    .filter((name) => (siteOf(model, name)?.certificate ?? 'none') === 'none');
  if (missing.length === 0) return [];
  return [
    {
      id: 'web-prepare',
      run: 'install',
      after: 'packages',
      title: `Make a place for what is served over HTTPS for ${missing.join(', ')}`,
      reason: 'there is none, or its certificate is gone',
      calls: [{ fn: 'web_prepare', args: missing }],
    } as const,
  ];
}

function certificateStep(model: ServerModel) {
  const wanted = webDomains(model).filter((domain) => !hasCertificate(model, domain));
  if (wanted.length === 0) return [];
  const names = wanted.flatMap(webNames);
  return [
    {
      id: webCertificateStep,
      run: 'certify',
      after: 'services',
      title:
        names.length > 3
          ? `Get certificates for ${names.length} web names`
          : `Get a certificate for ${names.join(', ')}`,
      reason: 'what is served over HTTPS has no certificate for its names',
      calls: [
        { fn: 'await_proof', args: ['unbound'] },
        {
          fn: 'web_certificates',
          args: [
            model.acmeDirectory ?? '',
            model.acmeEmail ?? '',
            ...wanted.map((domain) => `${domain.name}:${webNames(domain).join(',')}`),
          ],
        },
      ],
    } as const,
  ];
}

/** Its failure is no obstacle to mail, so others have to know it. */
export const webCertificateStep = 'certificate-web';

function forgetStep(model: ServerModel) {
  const kept = new Set(webDomains(model).map(({ name }) => name));
  const left = model.has.webSites.map(({ domain }) => domain).filter((domain) => !kept.has(domain));
  if (left.length === 0) return [];
  return [
    {
      id: 'web-forget',
      run: 'install',
      after: 'services',
      title: `Give up the web certificates of ${left.join(', ')}`,
      reason: 'nothing is served over HTTPS for them any more',
      calls: [{ fn: 'web_forget', args: left }],
    } as const,
  ];
}

function siteOf({ has }: ServerModel, name: string) {
  return has.webSites.find(({ domain }) => domain === name);
}

const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';

/** Exactly the names: one too many would make the renewal fail once it leads elsewhere. */
function hasCertificate(model: ServerModel, domain: WebDomain): boolean {
  const site = siteOf(model, domain.name);
  return (
    site?.certificate === 'issued' &&
    site.directory === (model.acmeDirectory ?? letsEncrypt) &&
    site.names.join() === webNames(domain).sort().join()
  );
}
