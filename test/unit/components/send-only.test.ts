import { describe, expect, it } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';
import { createComponents } from '../../../src/components/index.js';
import { createRenderer } from '../../../src/components/render.js';
import { sha256 } from '../../../src/lib/sha256.js';
import { buildServerPlan } from '../../../src/plan/build-server-plan.js';
import { others } from '../../golden/server/releases.js';

const components = createComponents(createRenderer(await loadTemplates()));

describe.each(['send-only-debian-12', 'send-only-debian-13'])('%s', (scenario) => {
  const model = others[scenario];
  if (model === undefined) throw new Error('no such scenario');
  const applying = components.filter((one) => one.applies(model));
  const text = (path: string): string =>
    applying.flatMap((one) => one.files(model)).find((file) => file.path === path)?.content ?? '';
  const packages = applying.flatMap((one) => [...one.packages(model)]);

  it('installs nothing that stores or serves mail', () => {
    expect(packages).toContain('dovecot-core');
    expect(packages.filter((name) => /imapd|lmtpd|sieve|postsrsd/.test(name))).toEqual([]);
    expect(text('/etc/dovecot/dovecot.conf')).not.toMatch(/imap|lmtp|mail_|userdb/);
    expect(applying.map(({ id }) => id)).not.toContain('web');
  });

  it('listens for logins and for the certificate authority only', () => {
    const ports = applying.filter(({ id }) => id !== 'firewall').flatMap((one) => [...one.ports(model)]);
    expect(ports.sort((a, b) => a - b)).toEqual([80, 465, 587]);
    expect(text('/etc/postfix/master.cf')).not.toMatch(/^(smtp +inet|smtpd +pass)/m);
    expect(text('/etc/smtp-setup/firewall.nft')).not.toMatch(/\b(25|993)\b/);
  });

  it('takes back what only mailboxes needed, where it was a server for those', () => {
    const before = {
      ...model,
      profile: 'mailboxes' as const,
      domains: [{ name: 'example.org', selectors: [], live: true }],
    };
    const standing = components.filter((one) => one.applies(before)).flatMap((one) => [...one.files(before)]);
    const entries = standing.map(({ content, ...file }) => ({ ...file, sha256: sha256(content) }));
    const { steps } = buildServerPlan({
      model,
      components,
      facts: {
        packages: new Map(),
        units: new Map(),
        files: new Map(entries.map((file) => [file.path, { ...file, type: 'file', pristine: false }])),
        state: {
          manifest: { schema: 1, generation: 3, files: entries },
          generation: 3,
          pending: [],
          runs: [],
        },
      },
    });
    const removed = steps.flatMap(({ calls }) =>
      calls.filter(({ fn }) => fn === 'remove').map(({ args }) => args[0]),
    );
    const kept = new Set(applying.flatMap((one) => one.files(model)).map(({ path }) => path));
    expect(removed.toSorted()).toEqual(
      entries
        .map(({ path }) => path)
        .filter((path) => !kept.has(path))
        .toSorted(),
    );
    const leaving = steps.find(({ id }) => id === 'leave-srs');
    expect(leaving?.calls[0]).toEqual({ fn: 'uninstall_units', args: ['postsrsd.service'] });
    // An undo of that starts it again, where no domain is left to prove it with.
    expect(components.find(({ id }) => id === 'srs')?.probe(model)).toEqual([]);
  });

  it('never holds two generations of the filter in memory', () => {
    const rspamd = applying.find(({ id }) => id === 'rspamd');
    expect(rspamd?.units(model)).toEqual([{ name: 'rspamd.service', onChange: 'restart' }]);
  });

  it('looks for mail of its domains where their MX says', () => {
    const main = text('/etc/postfix/main.cf');
    for (const name of ['relay_domains', 'virtual_mailbox_domains', 'virtual_alias_domains'])
      expect(main).toMatch(new RegExp(`^${name} =$`, 'm'));
    expect(main).not.toContain('lmtp:');
  });

  it('checks logins and senders, counts and signs as every server does', () => {
    expect(text('/etc/postfix/main.cf')).toContain(
      'smtpd_sender_login_maps = hash:/etc/smtp-setup/maps/senders',
    );
    expect(text('/etc/postfix/master.cf')).toContain('reject_authenticated_sender_login_mismatch');
    expect(text('/etc/rspamd/local.d/rspamd.lua')).toContain('SMTP_SETUP_FROM');
    expect(text('/etc/rspamd/local.d/dkim_signing.conf')).toContain('example.org.s20260105.key');
    const options = text('/etc/rspamd/local.d/options.inc');
    expect(options).toContain('filters = "dkim";');
    expect(text('/etc/rspamd/local.d/rbl.conf')).toContain('enabled = false;');
  });
});
