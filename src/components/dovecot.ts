import type { Component } from './component.js';
import { postfixWord } from './escape.js';
import { primaryDomain, type ServerModel } from './model.js';
import type { Render } from './render.js';
import { atLeast } from './version.js';

/** Mozilla's "intermediate" list for TLS 1.2, ECDHE only; TLS 1.3 has its own. */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * SASL for Postfix, LMTP delivery with Sieve and quota, IMAPS on 993, ManageSieve on 4190. For a server that only sends
 * nothing but the logins.
 */
export function createDovecot(render: Render): Component {
  return {
    id: 'dovecot',
    title: 'Dovecot (logins, mailboxes)',
    needs: ['accounts', 'certificates'],
    early: 3,
    applies: (model) => model.profile !== 'backup-mx',
    packages: (model) => ['postfix', 'dovecot-core', ...(storesMail(model) ? storePackages : [])],
    files: (model) =>
      storesMail(model)
        ? [
            file(
              '/etc/dovecot/dovecot.conf',
              render(`dovecot/${templateSet(model)}/dovecot.conf`, {
                hostname: postfixWord(model.hostname),
                primary: postfixWord(primaryDomain(model)),
                ipv6: model.ipv6,
                ciphers,
                quotaBytes: model.quotaBytes,
              }),
            ),
            file('/etc/smtp-setup/sieve/spam.sieve', render('dovecot/spam.sieve', {})),
          ]
        : [file('/etc/dovecot/dovecot.conf', render(`dovecot/${templateSet(model)}/logins.conf`, {}))],
    // A reload keeps old processes with the old settings alive; LMTP and logins must not mix two configurations.
    units: () => [{ name: 'dovecot.service', onChange: 'restart' }],
    unitFiles: ['dovecot.service'],
    ports: (model) => (storesMail(model) ? [993, 4190] : []),
    watch: ['/etc/dovecot/dovecot.conf', '/etc/smtp-setup/sieve/spam.sieve'],
    validate: () => [
      { fn: 'dovecot_validate', args: [] },
      { fn: 'postfix_spool', args: [] },
    ],
    probe: (model) =>
      storesMail(model)
        ? [
            { fn: 'dovecot_probe_imap', args: [model.hostname] },
            { fn: 'dovecot_probe_sieve', args: [] },
            { fn: 'dovecot_probe_login', args: [primaryDomain(model), model.mapType] },
          ]
        : [{ fn: 'dovecot_probe_logins_only', args: [primaryDomain(model), model.mapType] }],
    steps: () => [],
  };
}

const storePackages = ['dovecot-imapd', 'dovecot-lmtpd', 'dovecot-sieve', 'dovecot-managesieved'];

const storesMail = ({ profile }: ServerModel): boolean => profile === 'mailboxes';

function file(path: string, content: string) {
  return { path, mode: '0644', owner: 'root:root', group: 'dovecot', content };
}

/** 2.4 refuses a 2.3 file at its first line, and the other way round. */
function templateSet(model: ServerModel): '2.3' | '2.4' {
  return atLeast(model.versions.dovecot, '2.4') ? '2.4' : '2.3';
}
