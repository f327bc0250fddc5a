import type { Call } from '../plan/step.js';
import type { Component } from './component.js';
import { postfixWord, regexpLiteral } from './escape.js';
import { mergeLocalMain } from './local-additions.js';
import { primaryDomain, type ServerModel } from './model.js';
import { postfixFeatures } from './postfix-features.js';
import { relayOf, relayRoutes, relayTransports } from './postfix-relays.js';
import type { Render } from './render.js';
import { ownNames, srsDomain, srsTables } from './srs.js';
import { atLeast } from './version.js';
import { warmupDomains, warmupTransports } from './warmup.js';

/** The addresses that a backup takes mail for. */
export const relayRecipientsPath = '/etc/postfix/relay_recipients';

const roles = ['postmaster', 'root', 'abuse', 'mailer-daemon'];

/** Postfix, and what its maps are made with. */
export function postfixPackages({ mapType }: Pick<ServerModel, 'mapType'>): string[] {
  return ['postfix', ...(mapType === 'lmdb' ? ['postfix-lmdb'] : [])];
}

/** SMTP on 25, submission on 465 and 587. */
export function createPostfix(render: Render): Component {
  return {
    id: 'postfix',
    title: 'Postfix (SMTP 25, submission 465 and 587)',
    needs: ['accounts', 'certificates', 'rspamd', 'unbound', 'warmup'],
    provenWith: ['dovecot', 'srs'],
    early: 3,
    applies: () => true,
    packages: postfixPackages,
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
        ...(model.backup === undefined
          ? [
              file(
                'submission_header_checks',
                render('postfix/submission_header_checks', {
                  hostname: regexpLiteral(model.hostname),
                  hostnameText: postfixWord(model.hostname),
                }),
              ),
            ]
          : [
              file(
                'relay_recipients',
                render('postfix/relay_recipients', { recipients: model.backup.recipients.map(postfixWord) }),
              ),
            ]),
        ...(srsDomain(model) === undefined
          ? []
          : [
              file(
                'srs_senders',
                render('postfix/srs_senders', {
                  warming: warmupDomains(model).map(regexpLiteral).join('|'),
                  routes: ownNames(model)
                    .filter((name) => !warmupDomains(model).includes(name))
                    .map((name) => ({
                      domain: regexpLiteral(name),
                      route: relayOf(model, name) ?? 'DUNNO',
                    })),
                }),
              ),
              file(
                'srs_recipients',
                render('postfix/srs_recipients', { domain: regexpLiteral(srsDomain(model) ?? '') }),
              ),
            ]),
      ];
    },
    units: (model) => [{ name: postfixUnit(model), onChange: 'reload' }],
    unitFiles: ['postfix.service', 'postfix@.service'],
    ports: portsOf,
    watch: [
      '/etc/postfix/main.cf',
      '/etc/postfix/master.cf',
      '/etc/postfix/submission_header_checks',
      relayRecipientsPath,
      '/etc/postfix/srs_senders',
      '/etc/postfix/srs_recipients',
    ],
    validate: () => [{ fn: 'postfix_validate', args: [] }],
    probe,
    steps: () => [],
  };
}

/** A server that only sends takes no mail from strangers: it does not even listen for them. */
function portsOf({ profile, backup }: ServerModel): number[] {
  if (profile === 'send-only') return [465, 587];
  return backup === undefined ? [25, 465, 587] : [25];
}

/** What asks for a login comes once Dovecot answers: without it, Postfix lets nobody in on 465 and 587 for a minute. */
function probe(model: ServerModel): Call[] {
  const args = [model.hostname];
  const logins = [
    { fn: 'await_proof', args: ['dovecot', 'srs'] },
    { fn: 'postfix_probe_ports', args },
    { fn: 'postfix_probe_submission', args: [...args, primaryDomain(model), model.mapType] },
  ];
  if (model.profile === 'send-only') return [...logins, { fn: 'postfix_probe_closed', args: [] }];
  return [
    { fn: 'postfix_probe_mx', args },
    meetStrangers(model),
    ...(model.profile === 'backup-mx' ? [] : logins),
    { fn: 'postfix_probe_strangers', args: [] },
  ];
}

/** A domain that only sends is nobody's here: mail for it is relaying, which the first probe shows. */
function meetStrangers(model: ServerModel): Call {
  const domain =
    model.domains.find(({ receives = true }) => receives)?.name ?? model.backup?.domains[0]?.name;
  const refusal = model.unknownRecipients === 'defer' ? '450' : '550';
  return {
    fn: 'postfix_meet_strangers',
    args: domain === undefined ? [] : [domain, ...(refusal === '550' ? [] : [refusal])],
  };
}

/** The unit whose reload reaches the running daemon: on older releases `postfix.service` is an empty shell. */
export function postfixUnit(model: Pick<ServerModel, 'os'>): string {
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
    senderCanonical:
      hostIsDomain || primary === model.hostname
        ? ''
        : `@${postfixWord(model.hostname)}=@${postfixWord(primary)}`,
    roleAliases: roles
      .map((role) => `${role}=postmaster@${postfixWord(model.backup?.domains[0]?.name ?? primary)}`)
      .join(', '),
    trusted: (model.trustedRelays ?? []).map(postfixWord),
    backup: backupTables(model),
    map: `${postfixWord(model.mapType)}:`,
    cacheMap: model.mapType === 'hash' ? 'btree:' : `${postfixWord(model.mapType)}:`,
    protocols: model.ipv6 ? 'all' : 'ipv4',
    features: postfixFeatures(model),
    relays: relayRoutes(model),
    warmups: warmupTransports(model),
    hasMailboxes: model.profile === 'mailboxes',
    sendOnly: model.profile === 'send-only',
    srsReverse: srsDomain(model) === undefined ? '' : srsTables(model).reverse,
  });
}

function backupTables({ backup }: ServerModel): { domains: string; transports: string } | undefined {
  if (backup === undefined) return undefined;
  const names = backup.domains.map(({ name }) => postfixWord(name));
  // In brackets: never by MX, which leads here, too.
  const transports = backup.domains.map(
    ({ name, primary }) => `{${postfixWord(name)} = relay:[${postfixWord(primary)}]}`,
  );
  return { domains: names.join(',\n    '), transports: transports.join(',\n    ') };
}

function renderMaster(render: Render, model: ServerModel): string {
  return render('postfix/master.cf', {
    // Debian un-chrooted the services in 3.10.6-4, which Ubuntu 26.04 carries and Debian 13 does not.
    chroot: model.os.id === 'ubuntu' && atLeast(model.os.version, '26.04') ? 'n' : 'y',
    submission:
      model.backup === undefined
        ? render('postfix/submission.master', {
            messageRate: model.limits.perMinute,
            recipientRate: 3 * model.limits.perMinute,
            features: postfixFeatures(model),
          })
        : '',
    relays: relayTransports(model),
    warmups: warmupTransports(model),
    loopback: render('postfix/loopback.master', {}),
    hasMailboxes: model.profile === 'mailboxes',
    takesMail: model.profile !== 'send-only',
    srsForward: srsDomain(model) === undefined ? '' : srsTables(model).forward,
    local: model.local.postfixMaster.trim(),
  });
}
