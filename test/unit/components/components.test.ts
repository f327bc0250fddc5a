import { describe, expect, test } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';
import type { Component } from '../../../src/components/component.js';
import { createComponents, inOrder } from '../../../src/components/index.js';
import { nothingDone, type ServerModel, type WebSiteState } from '../../../src/components/model.js';
import { createRenderer } from '../../../src/components/render.js';
import { arrangeSteps, packageSteps } from '../../../src/plan/arrange-steps.js';
import type { ServerStep } from '../../../src/plan/step.js';
import { others, releases } from '../../golden/server/releases.js';
import { library } from '../../helpers/local-run.js';

const components = createComponents(createRenderer(await loadTemplates()));
const models = Object.entries(releases);
const debian = releases['debian-12'] as ServerModel;

function get(id: string): Component {
  const found = components.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no component ${id}`);
  return found;
}

function content(model: ServerModel, path: string): string {
  const found = components.flatMap((one) => one.files(model)).find((file) => file.path === path);
  if (found === undefined) throw new Error(`no file ${path}`);
  return found.content;
}

const steps = (model: ServerModel) => components.flatMap((one) => one.steps(model).map(({ id }) => id));

describe('the registry', () => {
  test('lists each component after those it needs or is proven with', () => {
    const ids = components.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, needs, provenWith = [] } of components) {
      for (const need of [...needs, ...provenWith])
        expect(ids.indexOf(need), `${id} needs ${need}`).toBeLessThan(ids.indexOf(id));
    }
  });

  test.each(Object.entries({ ...releases, ...others }))(
    'has systemd asked for every unit file (%s)',
    (_, model) => {
      for (const component of components) {
        const files = component.units(model).map(({ name }) => name.replace(/@[^.]*\./, '@.'));
        expect(component.unitFiles ?? []).toEqual(expect.arrayContaining(files));
      }
    },
  );

  test.each(Object.entries({ ...releases, ...others }))(
    'says in its probes from where on the others have to be done (%s)',
    (_, model) => {
      for (const component of components.filter(({ applies, provenWith }) => applies(model) && provenWith)) {
        const awaited = component.probe(model).filter(({ fn }) => fn === 'await_proof');
        const present = components.filter(
          ({ id, applies }) => component.provenWith?.includes(id) && applies(model),
        );
        expect(awaited.flatMap(({ args }) => args)).toEqual(
          expect.arrayContaining(present.map(({ id }) => id)),
        );
      }
    },
  );

  test('refuses a circle and an unknown need', () => {
    const one = (id: string, ...needs: string[]) => ({ ...get('dkim'), id, needs });
    expect(() => inOrder([one('a', 'b'), one('b', 'a')])).toThrow('a → b → a');
    expect(() => inOrder([one('a', 'c')])).toThrow('a needs c, which does not exist');
    expect(inOrder([one('a', 'b'), one('b')]).map(({ id }) => id)).toEqual(['b', 'a']);
  });

  test.each(Object.entries({ ...releases, ...others }))(
    'waits for the programs that it calls (%s)',
    (_, model) => {
      const present = components.filter((one) => one.applies(model));
      const batches = packageSteps(present, model, { packages: new Map() });
      const one = ({ id }: Component): [string, ServerStep[]] => [
        id,
        [{ id, run: 'install', title: id, reason: '', calls: [] }],
      ];
      const arranged = arrangeSteps(present, model, batches, new Map(present.map(one)));
      const programs = { accounts: ['postfix', 'dovecot-core'], postfix: ['postfix'], srs: ['postsrsd'] };
      for (const [id, names] of Object.entries(programs)) {
        const step = arranged.find((step) => step.id === id);
        if (step === undefined) continue;
        for (const name of names) {
          const batch = batches.find(({ preview }) => preview?.includes(name));
          expect(step.after, `${id} waits for ${name}`).toContain(batch?.id);
        }
      }
    },
  );

  test.each(models)('calls only functions of the run library (%s)', (_, model) => {
    const text = [...library.values()].join('\n');
    const calls = components.flatMap((one) => [
      ...one.validate(model),
      ...one.probe(model),
      ...one.steps(model).flatMap((step) => step.calls),
    ]);
    for (const { fn } of calls) expect(text).toMatch(new RegExp(`^${fn}\\(\\) \\{$`, 'm'));
  });

  test.each(models)('watches every file that it writes, under its own group (%s)', (_, model) => {
    for (const one of components) {
      for (const { path, group } of one.files(model)) {
        expect(group).toBe(one.id);
        const watched = one.watch.some((glob) =>
          new RegExp(`^${glob.replace(/\./g, '\\.').replace(/\*/g, '[^/]+')}$`).test(path),
        );
        expect(watched, path).toBe(true);
      }
    }
  });

  test('opens the ports of a mail server and of the web names, and no other', () => {
    expect(components.flatMap((one) => [...one.ports(debian)]).sort((a, b) => a - b)).toEqual([
      25, 80, 443, 465, 587, 993, 4190,
    ]);
  });
});

describe.each(models)('%s is no open relay', (_, model) => {
  const main = content(model, '/etc/postfix/main.cf');
  const master = content(model, '/etc/postfix/master.cf');
  const setting = (name: string) =>
    [...main.matchAll(new RegExp(`^${name} =(.*(?:\\n[ \\t].*)*)`, 'gm'))].map((m) => m[1]?.trim());
  const service = (name: string) =>
    master.split(/\n(?=\S)/).find((entry) => entry.startsWith(`${name} `)) ?? '';

  test('two locks, loopback alone is trusted', () => {
    expect(setting('mynetworks')).toEqual(['127.0.0.0/8 [::1]/128']);
    const locks = 'permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination';
    expect(setting('smtpd_relay_restrictions')).toEqual([locks]);
    // What follows the lock can only refuse.
    expect(setting('smtpd_recipient_restrictions')[0]?.split(/,\n/)[0]).toBe(locks);
    expect(setting('relay_domains')).toEqual(['']);
  });

  test('logins on the two submission ports only, under TLS only', () => {
    expect(setting('smtpd_sasl_auth_enable')).toEqual(['no']);
    expect(setting('smtpd_tls_auth_only')).toEqual(['yes']);
    expect(service('smtp')).not.toContain('sasl');
    expect(service('submissions')).toContain('smtpd_tls_wrappermode=yes');
    expect(service('submission')).toContain('smtpd_tls_security_level=encrypt');
    for (const name of ['submission', 'submissions']) {
      expect(service(name)).toContain('-o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n');
      expect(service(name)).toContain('-o smtpd_recipient_restrictions=permit_sasl_authenticated,reject\n');
      expect(service(name)).toContain('reject_authenticated_sender_login_mismatch');
    }
  });

  test('without the milter mail waits', () => {
    expect(setting('milter_default_action')).toEqual(['tempfail']);
    expect(setting('non_smtpd_milters')).toEqual(['$smtpd_milters']);
    expect(setting('internal_mail_filter_classes')).toEqual(['bounce']);
  });

  test('smuggling is off', () => {
    expect(setting('smtpd_forbid_bare_newline')).toEqual(['normalize']);
    expect(setting('smtpd_data_restrictions')).toEqual(['reject_unauth_pipelining']);
  });

  test('a name is in one class only, and no parameter is set twice', () => {
    const local = setting('mydestination')[0]?.replace('$myhostname', model.hostname).split(/,\s*/) ?? [];
    for (const { name } of model.domains) expect(local).not.toContain(name);
    const names = [...main.matchAll(/^([a-z0-9_]+) =/gm)].map((m) => m[1]);
    expect(names.length).toBe(new Set(names).size);
  });
});

describe('DKIM signing', () => {
  const signing = (model: ServerModel) => content(model, '/etc/rspamd/local.d/dkim_signing.conf');

  test('only the domains that are live, each with its first selector', () => {
    const model = {
      ...debian,
      domains: [
        { name: 'one.org', selectors: ['new', 'old'], live: true },
        { name: 'two.org', selectors: ['x'], live: false },
        { name: 'three.org', selectors: [], live: true },
      ],
    };
    expect(signing(model)).toContain('path = "/var/lib/rspamd/dkim/one.org.new.key"');
    expect(signing(model)).not.toMatch(/old|two\.org|three\.org/);
    expect(get('rspamd').probe(model)).toEqual([
      { fn: 'rspamd_probe_guard', args: [] },
      { fn: 'rspamd_probe_limit', args: [] },
      { fn: 'rspamd_probe_signing', args: ['one.org', 'new'] },
    ]);
  });

  test('going live changes what signs and seals, and no other file', () => {
    const before = { ...debian, domains: debian.domains.map((domain) => ({ ...domain, live: false })) };
    const after = { ...debian, domains: debian.domains.map((domain) => ({ ...domain, live: true })) };
    const files = (model: ServerModel) => components.flatMap((one) => one.files(model));
    const old = new Map(files(before).map((file) => [file.path, file.content]));
    expect(
      files(after)
        .filter((file) => old.get(file.path) !== file.content)
        .map(({ path }) => path),
    ).toEqual(['/etc/rspamd/local.d/dkim_signing.conf', '/etc/rspamd/local.d/arc.conf']);
  });

  test('never guesses a key', () => {
    expect(signing(debian)).toContain('try_fallback = false;');
    expect(signing(debian)).toContain('sign_local = false;');
  });
});

describe('sending limits', () => {
  const model = { ...debian, limits: { perMinute: 7, perHour: 50, perDay: 300 } };

  test("are the configuration's, in the filter and at submission", () => {
    const lua = content(model, '/etc/rspamd/local.d/rspamd.lua');
    expect(lua).toContain('{ name = "hour", seconds = 3600, most = 50 }');
    expect(lua).toContain('{ name = "day", seconds = 86400, most = 300 }');
    const master = content(model, '/etc/postfix/master.cf');
    expect(master.match(/-o smtpd_client_message_rate_limit=7\n/g)).toHaveLength(2);
    expect(master.match(/-o smtpd_client_recipient_rate_limit=21\n/g)).toHaveLength(2);
  });

  test('hold for a domain as a whole where it has one of its own', () => {
    const limitOf = (domains: typeof debian.domains) =>
      content({ ...model, domains }, '/etc/rspamd/local.d/rspamd.lua');
    const [first] = debian.domains;
    if (first === undefined) throw new Error('the model has a domain');
    expect(limitOf([{ ...first, perDay: 40 }])).toContain(`  ["${first.name}"] = 40,\n`);
    expect(limitOf([first])).toContain('local DOMAIN_LIMITS = {\n}\n');
  });

  test('are counted where nobody else reaches, and nothing of it is kept on disk', () => {
    const redis = content(model, '/etc/smtp-setup/redis.conf');
    expect(redis).toMatch(/^port 0$/m);
    expect(redis).toMatch(/^save ""$/m);
    expect(redis).toMatch(/^maxmemory 24mb$/m);
    const socket = /^unixsocket (.+)$/m.exec(redis)?.[1];
    expect(content(model, '/etc/rspamd/local.d/redis.conf')).toContain(`servers = "${socket}";`);
    const unit = content(model, '/etc/systemd/system/smtp-setup-redis.service');
    expect(unit).toContain('RuntimeDirectoryMode=0700');
    expect(unit).toContain(`RuntimeDirectory=${socket?.split('/')[2]}`);
  });
});
function site(domain: string, ...names: string[]): WebSiteState {
  const directory = 'https://acme-v02.api.letsencrypt.org/directory';
  return { domain, certificate: 'issued', names, directory };
}

describe('steps beside the files', () => {
  const done = {
    hostName: true,
    accounts: true,
    dkimKeys: ['example.org/s20260105', 'example.net/s20260212'],
    ownResolver: true,
    webReady: true,
    nextKey: true,
    foreignWebDefault: false,
    ownUpgrades: false,
    foreignHttpsDefault: false,
    webSites: [
      site('example.org', 'autoconfig.example.org', 'autodiscover.example.org', 'mta-sts.example.org'),
      site('example.net', 'autoconfig.example.net'),
    ],
  };

  test('all of them on a fresh server', () => {
    expect(steps({ ...debian, has: nothingDone, certificate: 'none' })).toEqual([
      'host-name',
      'resolver-switch',
      'accounts-prepare',
      'dkim-key:example.org/s20260105',
      'dkim-key:example.net/s20260212',
      'nginx-prepare',
      'certificate-self-signed',
      'certificate-next-key',
      'certificate-issue',
      'web-prepare',
      'certificate-web',
    ]);
  });

  test('none on a finished one', () => {
    expect(steps({ ...debian, has: done, certificate: 'issued' })).toEqual([]);
  });

  test('an authority is asked while the certificate is self-signed, in a run of its own', () => {
    const model = {
      ...debian,
      has: done,
      certificate: 'self-signed',
      acmeDirectory: 'https://ca.test:14000/dir',
    } as const;
    expect(get('certificates').steps(model)).toMatchObject([
      {
        run: 'certify',
        calls: [
          // While it restarts, the authority's name cannot be found.
          { fn: 'await_proof', args: ['unbound'] },
          { fn: 'certificates_issue', args: ['mail.example.org', 'https://ca.test:14000/dir', ''] },
        ],
      },
    ]);
  });

  test('web names have a certificate of their own, for exactly these names', () => {
    const web = (webSites: readonly WebSiteState[]) =>
      get('web').steps({ ...debian, has: { ...done, webSites }, certificate: 'issued' });
    const [first, second] = done.webSites as [WebSiteState, WebSiteState];
    expect(web([first, { ...second, names: ['autoconfig.example.net', 'old.example.net'] }])).toMatchObject([
      {
        id: 'certificate-web',
        run: 'certify',
        calls: [
          { fn: 'await_proof', args: ['unbound'] },
          { args: ['', '', 'example.net:autoconfig.example.net'] },
        ],
      },
    ]);
    expect(web([{ ...first, certificate: 'stand-in' }, second])).toMatchObject([
      {
        id: 'certificate-web',
        calls: [
          { fn: 'await_proof' },
          {
            args: ['', '', 'example.org:autoconfig.example.org,autodiscover.example.org,mta-sts.example.org'],
          },
        ],
      },
    ]);
    expect(web([first, { ...second, directory: 'https://staging.test/dir' }])).toMatchObject([
      { id: 'certificate-web' },
    ]);
    expect(web([first, { ...second, certificate: 'none', names: [] }]).map(({ id }) => id)).toEqual([
      'web-prepare',
      'certificate-web',
    ]);
    expect(web([first, second, site('gone.example', 'autoconfig.gone.example')])).toMatchObject([
      { id: 'web-forget', run: 'install', calls: [{ fn: 'web_forget', args: ['gone.example'] }] },
    ]);
    expect(
      get('certificates').steps({ ...debian, has: { ...done, webSites: [] }, certificate: 'issued' }),
    ).toEqual([]);
  });

  test('a name too long for nginx’s hash of names is served by its pattern', () => {
    const name = `${'a'.repeat(40)}.example`;
    const domains = [{ name, selectors: ['s1'], live: true, web: { autoconfig: true, autodiscover: false } }];
    const conf = content({ ...debian, domains }, '/etc/nginx/conf.d/smtp-setup-web.conf');
    expect(conf).toContain(`server_name ~^autoconfig\\.${'a'.repeat(40)}\\.example$;`);
  });

  test('behind sites that answer for unknown names because they come first, ours come last', () => {
    const has = { ...done, foreignWebDefault: true, foreignHttpsDefault: true };
    const paths = (sitesBefore: NonNullable<typeof debian.has.sitesBefore>) =>
      ['nginx', 'web'].map((id) => get(id).files({ ...debian, has: { ...has, sitesBefore } })[0]?.path);
    expect(paths('/etc/nginx/sites-enabled')).toEqual([
      '/etc/nginx/sites-enabled/zz-smtp-setup.conf',
      '/etc/nginx/sites-enabled/zz-smtp-setup-web.conf',
    ]);
    expect(paths('/etc/nginx/conf.d')[0]).toBe('/etc/nginx/conf.d/zz-smtp-setup.conf');
    for (const id of ['nginx', 'web'])
      expect(get(id).watch).toEqual(expect.arrayContaining([expect.stringContaining('sites-enabled/zz-')]));
  });

  test('where another site listens on one address, ours listen there too, and never by default', () => {
    const siteAddresses = [
      { address: '192.0.2.1', port: 80, alone: false },
      { address: '[2001:db8::1]', port: 443, alone: true },
    ] as const;
    const has = { ...done, siteAddresses, sitesBefore: '/etc/nginx/conf.d' } as const;
    const servers = ['nginx', 'web'].flatMap((id) =>
      (get(id).files({ ...debian, has })[0]?.content ?? '').split(/^server /m).slice(1),
    );
    const [nobody, ours] = [true, false].map((is) =>
      servers.filter((one) => one.includes('default_server') === is),
    );
    expect(nobody).toHaveLength(2);
    for (const server of nobody ?? []) expect(server).not.toMatch(/192|2001/);
    for (const server of ours ?? [])
      expect(server).toMatch(
        / listen 443 ssl;/.test(server) ? / listen \[2001:db8::1\]:443 ssl;/ : / listen 192\.0\.2\.1:80;/,
      );
    expect(ours?.length).toBeGreaterThan(4);
    // The port is taken where somebody has single addresses and nobody has all.
    for (const server of servers) {
      expect(server).not.toContain('[::]:443');
      if (server.includes('[::]:80')) expect(server).toContain(' listen 80');
    }
  });

  test('a domain without mail here, or without web names, is not served', () => {
    const bare = debian.domains.map(({ web: _web, ...domain }) => domain);
    expect(get('web').files({ ...debian, domains: bare })).toEqual([]);
    expect(get('web').applies({ ...debian, profile: 'send-only' })).toBe(false);
  });

  test('a key that is missing is made, one that is there is not named', () => {
    const has = { ...done, dkimKeys: ['example.org/s20260105'] };
    expect(steps({ ...debian, has, certificate: 'issued' })).toEqual(['dkim-key:example.net/s20260212']);
  });
});

describe('by installed version', () => {
  test('Dovecot 2.4 gets its own template, with its versions first', () => {
    const path = '/etc/dovecot/dovecot.conf';
    const old = content(debian, path);
    const now = content({ ...debian, versions: { ...debian.versions, dovecot: '2.4.1' } }, path);
    expect(now.split('\n').filter((line) => line !== '' && !line.startsWith('#'))[0]).toBe(
      'dovecot_config_version = 2.4.1',
    );
    expect(now).not.toMatch(/%L?[und]\b/);
    expect(old).not.toContain('dovecot_config_version');
    for (const text of [old, now]) {
      expect(text).toMatch(/inet_listener imap \{\n {4}port = 0/);
      expect(text).not.toContain('conf.d/');
      expect(text).toMatch(/inet_listener sieve \{\n {4}port = 4190/);
      expect(text).toContain('452 4.2.2 Mailbox is full');
      expect(text.trimEnd().endsWith('!include_try /etc/smtp-setup/local/dovecot.conf')).toBe(true);
    }
  });

  test("a mailbox's room is the configuration's, where the list of users says nothing else", () => {
    const path = '/etc/dovecot/dovecot.conf';
    const of = (dovecot: string, quotaBytes: number) =>
      content({ ...debian, quotaBytes, versions: { ...debian.versions, dovecot } }, path);
    expect(of('2.3.19', 1000)).toContain('quota_rule = *:bytes=%{userdb:quota_storage_size:1000}');
    expect(of('2.3.19', 0)).toContain('quota_rule = *:bytes=%{userdb:quota_storage_size:0}');
    expect(of('2.4.1', 1000)).toContain('\nquota_storage_size = 1000\n');
    expect(of('2.4.1', 0)).toContain('\nquota_storage_size = unlimited\n');
  });

  test.each([
    ['debian', '12', 'postfix@-.service'],
    ['debian', '13', 'postfix.service'],
    ['ubuntu', '24.04', 'postfix@-.service'],
    ['ubuntu', '26.04', 'postfix.service'],
  ] as const)("Postfix's unit on %s %s is %s", (id, version, unit) => {
    expect(get('postfix').units({ ...debian, os: { id, version, codename: '' } })).toEqual([
      { name: unit, onChange: 'reload' },
    ]);
  });

  test('a map type that is a package of its own brings it', () => {
    expect(get('postfix').packages({ ...debian, mapType: 'lmdb' })).toContain('postfix-lmdb');
    expect(get('postfix').packages(debian)).not.toContain('postfix-lmdb');
  });
});

describe('the resolver', () => {
  const conf = (resolver: ServerModel['resolver']) =>
    content({ ...debian, resolver }, '/etc/unbound/unbound.conf');

  test('asks the world and trusts the root', () => {
    expect(conf({})).toContain('auto-trust-anchor-file: "/var/lib/unbound/root.key"');
    expect(conf({})).not.toMatch(/forward-zone|nodefault/);
  });

  test.each([
    ['198.51.100.1', '198.51.100.1'],
    ['198.51.100.1:5353', '198.51.100.1@5353'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]:53', '2001:db8::1@53'],
  ])('forwards to %s', (given, written) => {
    expect(conf({ forwarder: given })).toContain(`forward-addr: ${written}\n`);
    expect(conf({ forwarder: given })).toContain('local-zone: "test." nodefault');
  });

  test.each(['x', '1.2.3.4:99999999', 'a b', '::1\nserver:'])('refuses %j as a forwarder', (given) => {
    expect(() => conf({ forwarder: given })).toThrow('not an address for a forwarder');
  });

  test('a root of its own replaces the real one', () => {
    const text = conf({ trustAnchor: '. IN DS 1 13 2 00ff' });
    expect(text).toContain('trust-anchor: ". IN DS 1 13 2 00ff"');
    expect(text).not.toContain('auto-trust-anchor-file');
  });
});

describe('the CA of a private ACME server', () => {
  test('only certificates reach the server, and renewals trust them', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
    const model = {
      ...debian,
      acmeCa: `-----BEGIN PRIVATE KEY-----\nMIIC\n-----END PRIVATE KEY-----\n${pem}\n`,
    };
    expect(content(model, '/etc/smtp-setup/acme-ca.pem')).toBe(`${pem}\n`);
    expect(content(model, '/etc/systemd/system/certbot.service.d/smtp-setup.conf')).toContain(
      'Environment=REQUESTS_CA_BUNDLE=/etc/smtp-setup/acme-ca.pem',
    );
    expect(() => get('certificates').files({ ...debian, acmeCa: 'x' })).toThrow(
      expect.objectContaining({ code: 'E_ACME_CA', exit: 2 }),
    );
  });
});
