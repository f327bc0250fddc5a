import { expect, it } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';
import { createComponents } from '../../../src/components/index.js';
import { createRenderer } from '../../../src/components/render.js';
import { others } from '../../golden/server/releases.js';

const components = createComponents(createRenderer(await loadTemplates()));
const model = others['backup-mx'];
if (model === undefined) throw new Error('no such scenario');
const applying = components.filter((one) => one.applies(model));
const text = (path: string): string =>
  applying.flatMap((one) => one.files(model)).find((file) => file.path === path)?.content ?? '';

it('has no mailboxes, no logins and no port but the one that mail comes in by', () => {
  expect(applying.map(({ id }) => id)).not.toContain('dovecot');
  expect(applying.map(({ id }) => id)).not.toContain('accounts');
  expect(applying.find(({ id }) => id === 'postfix')?.ports(model)).toEqual([25]);
  expect(text('/etc/postfix/master.cf')).not.toMatch(/^(submission|submissions|submission-cleanup)\s/m);
  expect(text('/etc/postfix/main.cf')).not.toMatch(/smtp-setup\/maps|dovecot-lmtp/);
});

it('takes mail for the addresses of the list only, and hands it to the primary by name', () => {
  const main = text('/etc/postfix/main.cf');
  expect(main).toContain('relay_domains = example.org,\n    example.net\n');
  expect(main).toContain('relay_recipient_maps = texthash:/etc/postfix/relay_recipients\n');
  expect(main).toContain('{example.org = relay:[mail.example.org]}');
  // By default every name below the domain would be taken, too.
  expect(main).toMatch(/^parent_domain_matches_subdomains =$/m);
  expect(main).toMatch(/^smtpd_relay_restrictions = .*reject_unauth_destination$/m);
  expect(main).toContain('mynetworks = 127.0.0.0/8 [::1]/128\n');
  const list = text('/etc/postfix/relay_recipients')
    .split('\n')
    .filter((line) => /^[^#]/.test(line));
  expect(list).toEqual(['@example.net OK', 'ada@example.org OK', 'postmaster@example.org OK']);
});

it('keeps mail longer than a server is usually away, and warns no strangers of it', () => {
  const main = text('/etc/postfix/main.cf');
  expect(main).toContain('\nmaximal_queue_lifetime = 14d\n');
  expect(main).toContain('\ndelay_warning_time = 0h\n');
});

it('refuses unknown recipients as the primary does: with 450 while its mail is being moved', () => {
  const moving = { ...model, unknownRecipients: 'defer' as const };
  const main = applying.flatMap((one) => one.files(moving)).find(({ path }) => path.endsWith('/main.cf'));
  expect(main?.content).toContain('\nunknown_relay_recipient_reject_code = 450\n');
});
