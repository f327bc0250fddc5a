import type { ManagedFile } from '../plan/step.js';
import type { Component } from './component.js';
import type { ServerModel } from './model.js';
import type { Render } from './render.js';

const id = 'fail2ban';

/** Where people log in with a password: 25 is no such place. */
const withLogins = ['postfix', 'dovecot'];

/** Shuts out who guesses passwords. Our own filters: the stock ones miss what Dovecot 2.4 writes. */
export function createFail2ban(render: Render, services: readonly Component[]): Component {
  const ports = (model: ServerModel) =>
    services
      .filter((one) => withLogins.includes(one.id) && one.applies(model))
      .flatMap((one) => [...one.ports(model)])
      .filter((port) => port !== 25)
      .sort((a, b) => a - b);
  return {
    id,
    title: 'fail2ban (against password guessing)',
    needs: [],
    // A ban is a rule in the packet filter.
    applies: ({ firewall }) => firewall.usable,
    packages: () => ['fail2ban', 'nftables', 'python3-systemd'],
    files: (model) => [
      file('filter.d/smtp-setup-submission.conf', render('fail2ban/submission.filter', {})),
      file('filter.d/smtp-setup-dovecot.conf', render('fail2ban/dovecot.filter', {})),
      file(
        'jail.d/smtp-setup.conf',
        render('fail2ban/jail', {
          ports: ports(model).join(','),
          ssh: model.firewall.ssh.join(','),
          // Logins at Postfix are in its own log.
          dovecot: model.profile === 'mailboxes',
        }),
      ),
    ],
    units: () => [{ name: 'fail2ban.service', onChange: 'reload' }],
    unitFiles: ['fail2ban.service'],
    ports: () => [],
    watch: [
      '/etc/fail2ban/filter.d/smtp-setup-submission.conf',
      '/etc/fail2ban/filter.d/smtp-setup-dovecot.conf',
      '/etc/fail2ban/jail.d/smtp-setup.conf',
    ],
    validate: () => [{ fn: 'fail2ban_validate', args: [] }],
    probe: (model) => [
      { fn: 'fail2ban_probe', args: [ports(model).length > 0 ? 'smtp-setup-submission' : 'sshd'] },
    ],
    steps: () => [],
  };
}

function file(name: string, content: string): ManagedFile {
  return { path: `/etc/fail2ban/${name}`, mode: '0644', owner: 'root:root', content, group: id };
}
