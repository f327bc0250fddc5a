import type { Component } from './component.js';
import { postfixWord } from './escape.js';
import { postfixPackages } from './postfix.js';
import type { Render } from './render.js';

/** Where it stands, a login has no mailbox: looked at by every command that changes the lists, whatever it was told. */
const sendOnlyMark = '/etc/smtp-setup/send-only';

/**
 * Mailboxes and aliases: their truth lies on the server (/etc/smtp-setup/users and aliases) and is changed there, under
 * a lock. This component only lays the ground and the list of domains.
 */
export function createAccounts(render: Render): Component {
  return {
    id: 'accounts',
    title: 'Mailboxes and aliases',
    needs: [],
    applies: (model) => model.profile !== 'backup-mx',
    // The lists are maps of Postfix, and Dovecot hashes their passwords.
    packages: (model) => [...postfixPackages(model), 'dovecot-core'],
    files: (model) => [
      {
        path: '/etc/smtp-setup/domains',
        mode: '0644',
        owner: 'root:root',
        group: 'accounts',
        content: render('accounts/domains', { domains: model.domains.map(({ name }) => postfixWord(name)) }),
      },
      ...(model.profile === 'send-only'
        ? [
            {
              path: sendOnlyMark,
              mode: '0644',
              owner: 'root:root',
              group: 'accounts',
              content: render('accounts/send-only', {}),
            },
          ]
        : []),
    ],
    units: () => [],
    ports: () => [],
    watch: ['/etc/smtp-setup/domains', sendOnlyMark],
    validate: () => [],
    // Tables for a domain that came or went.
    probe: (model) => [{ fn: 'accounts_rebuild', args: [model.mapType] }],
    steps: (model) =>
      model.has.accounts
        ? []
        : [
            {
              id: 'accounts-prepare',
              run: 'install',
              after: 'packages',
              title:
                model.profile === 'send-only'
                  ? 'Prepare the list of logins'
                  : 'Prepare the mail store and the list of mailboxes',
              reason: 'not there yet',
              calls: [{ fn: 'accounts_prepare', args: [model.mapType] }],
            },
          ],
  };
}
