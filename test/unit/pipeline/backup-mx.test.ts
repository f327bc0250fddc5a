import { expect, it } from 'vitest';
import { configSchema } from '../../../src/config/schema.js';
import { backedDomains, listRecipients } from '../../../src/pipeline/backup-mx.js';
import { domainsOf } from '../../../src/pipeline/survey.js';

const config = configSchema.parse({
  version: 1,
  servers: {
    'mail.example.org': { ssh: 'root@198.51.100.7' },
    'mail2.example.org': { ssh: 'root@198.51.100.8', profile: 'backup-mx' },
  },
  domains: {
    'example.org': { dns: 'cloudflare', backup: 'mail2.example.org' },
    'example.net': { dns: 'cloudflare' },
  },
});

it('keeps mail for the domains that name it, and has none of its own', () => {
  expect(backedDomains(config, 'mail2.example.org')).toEqual([
    { name: 'example.org', primary: 'mail.example.org' },
  ]);
  expect(domainsOf(config, 'mail2.example.org')).toEqual([]);
  expect(domainsOf(config, 'mail.example.org').map(([name]) => name)).toEqual(['example.org', 'example.net']);
});

it('takes mail for mailboxes, aliases and the addresses that must exist, of its domains only', () => {
  const accounts = {
    mailboxes: ['Ada@example.org', 'bob@example.net'],
    aliases: [
      { address: 'info@example.org', targets: ['ada@example.org'] },
      { address: '@example.org', targets: ['ada@example.org'] },
    ],
  };
  expect(listRecipients(accounts, ['example.org'])).toEqual([
    '@example.org',
    'abuse@example.org',
    'ada@example.org',
    'info@example.org',
    'postmaster@example.org',
  ]);
});
