import type { Call } from '../plan/step.js';
import type { Component } from './component.js';
import { postfixWord, regexpLiteral } from './escape.js';
import { mergeLocalMain } from './local-additions.js';
import { primaryDomain, type ServerModel } from './model.js';
import { postfixFeatures } from './postfix-features.js';
import type { Render } from './render.js';
import { atLeast } from './version.js';

/** Messages and recipients a minute that one client address may submit: far above a person, far below a stolen password. */
const submissionRate = { messageRate: 100, recipientRate: 300 };

const roles = ['postmaster', 'root', 'abuse', 'mailer-daemon'];

/** SMTP on 25, submission on 465 and 587. */
export function createPostfix(render: Render): Component {
  return {
    id: 'postfix',
    title: 'Postfix (SMTP 25, submission 465 and 587)',
    needs: ['accounts', 'certificates', 'rspamd', 'dovecot', 'unbound'],
    applies: () => true,
    packages: (model) => ['postfix', ...(model.mapType === 'lmdb' ? ['postfix-lmdb'] : [])],
    files: (model) => {
      const file = (name: string, content: string) => ({
        path: `/etc/postfix/${name}`,
        mode: '0644',
        owner: 'root:root',
        content,
        group: 'postfix',
      });
      return [
        file('main.cf', mergeLocalMain(renderMain(render, model), model.local.postfixMain)),
        file('master.cf', renderMaster(render, model)),
        file(
          'submission_header_checks',
          render('postfix/submission_header_checks', {
            hostname: regexpLiteral(model.hostname),
            hostnameText: postfixWord(model.hostname),
          }),
        ),
      ];
    },
    units: (model) => [{ name: postfixUnit(model), onChange: 'reload' }],
    ports: () => [25, 465, 587],
    watch: ['/etc/postfix/main.cf', '/etc/postfix/master.cf', '/etc/postfix/submission_header_checks'],
    validate: () => [{ fn: 'postfix_validate', args: [] }],
    probe: (model) => [
      { fn: 'postfix_probe_ports', args: [model.hostname] },
      ...probeStrangers(model),
      ...(model.profile === 'mailboxes'
        ? [
            {
              fn: 'postfix_probe_submission',
              args: [model.hostname, primaryDomain(model), model.mapType],
            },
          ]
        : []),
    ],
    steps: () => [],
  };
}

/** A domain that only sends is nobody's here: mail for it is relaying, which the first probe shows. */
function probeStrangers(model: ServerModel): Call[] {
  const domain = model.domains.find(({ receives = true }) => receives)?.name;
  const refusal = model.unknownRecipients === 'defer' ? '450' : '550';
  return [
    {
      fn: 'postfix_probe_strangers',
      args: domain === undefined ? [] : [domain, ...(refusal === '550' ? [] : [refusal])],
    },
  ];
}

/** The unit whose reload reaches the running daemon: on older releases `postfix.service` is an empty shell. */
function postfixUnit(model: ServerModel): string {
  const real =
    model.os.id === 'debian' ? atLeast(model.os.version, '13') : atLeast(model.os.version, '25.10');
  return real ? 'postfix.service' : 'postfix@-.service';
}

function renderMain(render: Render, model: ServerModel): string {
  const primary = primaryDomain(model);
  const names = model.domains.map((domain) => domain.name);
  const hostIsDomain = names.includes(model.hostname);
  return render('postfix/main.cf', {
    hostname: postfixWord(model.hostname),
    primary: postfixWord(primary),
    domains: model.domains
      .filter(({ receives = true }) => receives)
      .map(({ name }) => postfixWord(name))
      .join(',\n    '),
    deferUnknown: model.unknownRecipients === 'defer',
    localNames: hostIsDomain ? 'localhost' : '$myhostname, localhost',
    senderCanonical: hostIsDomain ? '' : `@${postfixWord(model.hostname)}=@${postfixWord(primary)}`,
    roleAliases: roles.map((role) => `${role}=postmaster@${postfixWord(primary)}`).join(', '),
    map: `${postfixWord(model.mapType)}:`,
    cacheMap: model.mapType === 'hash' ? 'btree:' : `${postfixWord(model.mapType)}:`,
    protocols: model.ipv6 ? 'all' : 'ipv4',
    features: postfixFeatures(model),
  });
}

function renderMaster(render: Render, model: ServerModel): string {
  return render('postfix/master.cf', {
    // Debian un-chrooted the services in 3.10.6-4, which Ubuntu 26.04 carries and Debian 13 does not.
    chroot: model.os.id === 'ubuntu' && atLeast(model.os.version, '26.04') ? 'n' : 'y',
    submission: render('postfix/submission.master', {
      ...submissionRate,
      features: postfixFeatures(model),
    }),
    local: model.local.postfixMaster.trim(),
  });
}
