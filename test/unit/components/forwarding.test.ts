import { describe, expect, test } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';
import { createComponents } from '../../../src/components/index.js';
import type { ServerModel } from '../../../src/components/model.js';
import { createRenderer } from '../../../src/components/render.js';
import { srsDomain } from '../../../src/components/srs.js';
import { releases } from '../../golden/server/releases.js';

const components = createComponents(createRenderer(await loadTemplates()));
const debian = releases['debian-12'] as ServerModel;

function content(model: ServerModel, path: string): string | undefined {
  return components
    .filter((one) => one.applies(model))
    .flatMap((one) => one.files(model))
    .find((file) => file.path === path)?.content;
}

/** The right-hand side of the first line of a regexp table that fits (regexp_table(5): case does not matter). */
function lookUp(table: string, key: string): string | undefined {
  for (const line of table.split('\n')) {
    const [, pattern, result] = /^\/(.*)\/\s+(.*)$/.exec(line) ?? [];
    if (pattern === undefined || result === undefined) continue;
    const found = new RegExp(pattern, 'i').exec(key);
    if (found) return result.replace('$1', found[1] ?? '');
  }
  return undefined;
}

describe('the sender of forwarded mail', () => {
  const senders = content(debian, '/etc/postfix/srs_senders') ?? '';
  const recipients = content(debian, '/etc/postfix/srs_recipients') ?? '';

  test.each([
    ['ada@example.org', 'DUNNO'],
    ['SRS0=ab=cd=elsewhere.test=x@EXAMPLE.org', 'DUNNO'],
    ['postmaster@example.net', 'DUNNO'],
    ['root@mail.example.org', 'DUNNO'],
    ['<>', 'DUNNO'],
    ['x@elsewhere.test', 'srs:[127.0.0.1]:10926'],
    ['x@sub.example.org', 'srs:[127.0.0.1]:10926'],
    ['x@notexample.org', 'srs:[127.0.0.1]:10926'],
    ['x@exampleXorg', 'srs:[127.0.0.1]:10926'],
  ])('%s: %s', (sender, transport) => {
    expect(lookUp(senders, sender)).toBe(transport);
  });

  test("leaves a domain's own relay in charge of its mail", () => {
    const relay = {
      name: 'r1',
      domain: 'example.org',
      host: 'smtp.provider.test',
      port: 587,
      tls: 'starttls',
      mechanisms: ['PLAIN'],
    } as unknown as NonNullable<ServerModel['relays']>[number];
    const model = { ...debian, relays: [relay] };
    const table = content(model, '/etc/postfix/srs_senders') ?? '';
    expect(lookUp(table, 'ada@example.org')).toBe('relay-r1:[smtp.provider.test]:587');
    expect(lookUp(table, 'ada@example.net')).toBe('DUNNO');
    expect(lookUp(table, 'x@elsewhere.test')).toBe('srs:[127.0.0.1]:10926');
    const main = content(model, '/etc/postfix/main.cf') ?? '';
    expect(main.match(/^sender_dependent_default_transport_maps = .*$/gm)).toEqual([
      'sender_dependent_default_transport_maps = regexp:/etc/postfix/srs_senders',
    ]);
  });

  test('is looked up for recipients that look like one, and for no other', () => {
    const rewritten = 'SRS0=ab=cd=elsewhere.test=x@example.org';
    expect(lookUp(recipients, rewritten)).toBe(rewritten);
    expect(lookUp(recipients, 'srs1=ab=cd==ef=gh@example.org')).toBeDefined();
    for (const other of [
      'ada@example.org',
      'SRS0x@example.org',
      'SRS0=ab@example.net',
      'x+SRS0=a@example.org',
    ])
      expect(lookUp(recipients, other), other).toBeUndefined();
  });

  test('is of a domain whose mail comes here; without one nothing of it is installed', () => {
    const [first, second] = debian.domains as [
      ServerModel['domains'][number],
      ServerModel['domains'][number],
    ];
    expect(srsDomain({ ...debian, domains: [{ ...first, receives: false }, second] })).toBe(second.name);
    const none = { ...debian, domains: [{ ...first, receives: false }] };
    expect(srsDomain(none)).toBeUndefined();
    expect(content(none, '/etc/postfix/srs_senders')).toBeUndefined();
    for (const file of ['main.cf', 'master.cf'])
      expect(content(none, `/etc/postfix/${file}`)).not.toMatch(/srs/);
    expect(components.filter((one) => one.applies(none)).map(({ id }) => id)).not.toContain('srs');
  });

  test.each([
    ['1.10', 'tcp:127.0.0.1:10001', 'tcp:127.0.0.1:10002'],
    ['2.0.11', 'socketmap:unix:srs:forward', 'socketmap:unix:srs:reverse'],
  ])('PostSRSd %s is asked its own way', (postsrsd, forward, reverse) => {
    const model = { ...debian, versions: { ...debian.versions, postsrsd } };
    expect(content(model, '/etc/postfix/master.cf')).toContain(`-o sender_canonical_maps=${forward}\n`);
    expect(content(model, '/etc/postfix/main.cf')).toContain(
      `recipient_canonical_maps = pipemap:{regexp:/etc/postfix/srs_recipients, ${reverse}}`,
    );
  });
});

describe('listeners of our own', () => {
  const master = content(debian, '/etc/postfix/master.cf') ?? '';

  test.each(['127.0.0.1:10926', '127.0.0.1:10927'])('%s takes mail from this machine only', (name) => {
    const service = master.split(/\n(?=\S)/).find((entry) => entry.startsWith(`${name} `)) ?? '';
    for (const list of ['client', 'relay', 'recipient'])
      expect(service).toContain(`-o smtpd_${list}_restrictions=permit_mynetworks,reject\n`);
  });

  test('Sieve submits where the filter knows that it passes mail on', () => {
    for (const dovecot of ['2.3.19', '2.4.1']) {
      const model = { ...debian, versions: { ...debian.versions, dovecot } };
      expect(content(model, '/etc/dovecot/dovecot.conf')).toContain('submission_host = 127.0.0.1:10927\n');
    }
    const service = master.split(/\n(?=\S)/).find((entry) => entry.startsWith('127.0.0.1:10927 ')) ?? '';
    expect(service).toContain('-o milter_macro_daemon_name=FORWARDING\n');
    expect(content(debian, '/etc/rspamd/local.d/rspamd.lua')).toContain('~= "FORWARDING" then return false');
  });
});

describe('postscreen', () => {
  test('looks at strangers before smtpd does, with nothing that sends new servers away', () => {
    const main = content(debian, '/etc/postfix/main.cf') ?? '';
    const master = content(debian, '/etc/postfix/master.cf') ?? '';
    expect(master).toMatch(/^smtp +inet .* postscreen$/m);
    expect(master).toMatch(/^smtpd +pass .* smtpd$/m);
    expect(main).toMatch(/^postscreen_greet_action = enforce$/m);
    // Without a first line of greeting it would not look at all.
    expect(main).not.toMatch(/^postscreen_greet_banner/m);
    expect(main).not.toMatch(/^postscreen_(?:pipelining|non_smtp_command|bare_newline)_enable/m);
  });
});
