import { describe, expect, it } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';
import { createComponents } from '../../../src/components/index.js';
import { nothingDone, type RelayModel, type ServerModel } from '../../../src/components/model.js';
import { createRenderer } from '../../../src/components/render.js';
import { releases } from '../../golden/server/releases.js';

const components = createComponents(createRenderer(await loadTemplates()));
const base = releases['debian-12'] as ServerModel;
const relay: RelayModel = {
  name: 'server',
  host: 'smtp.sendgrid.net',
  port: 587,
  tls: 'starttls',
  mechanisms: ['PLAIN', 'LOGIN'],
  rewrites: [],
};
const own: RelayModel = {
  ...relay,
  name: 'example.net',
  domain: 'example.net',
  host: 'smtp.example.com',
  port: 465,
  tls: 'wrapper',
};
const fileOf = (model: ServerModel, path: string) =>
  components.flatMap((one) => one.files(model)).find((file) => file.path === path)?.content ?? '';
const part = components.find(({ id }) => id === 'relay');

describe('hosted relays in Postfix', () => {
  const model = { ...base, relays: [relay, own] };
  const main = fileOf(model, '/etc/postfix/main.cf');
  const master = fileOf(model, '/etc/postfix/master.cf');

  it('take all mail, but that of a domain with a relay of its own', () => {
    expect(main).toContain('default_transport = relay-server:[smtp.sendgrid.net]:587\n');
    // Beside what is forwarded, in one table; without forwarding it has a setting of its own.
    expect(main).toContain('sender_dependent_default_transport_maps = regexp:/etc/postfix/srs_senders\n');
    expect(fileOf(model, '/etc/postfix/srs_senders')).toContain(
      '/@example\\.net$/   relay-example.net:[smtp.example.com]:465\n',
    );
    expect(fileOf({ ...model, profile: 'send-only' }, '/etc/postfix/main.cf')).toContain(
      'sender_dependent_default_transport_maps = inline:{{@example.net = relay-example.net:[smtp.example.com]:465}}\n',
    );
    expect(main).toContain('smtp_sasl_auth_soft_bounce = yes\n');
  });

  it('get no login before TLS with a certificate that fits', () => {
    const services = master.split(/^(?=relay-)/m).slice(1);
    expect(services).toHaveLength(2);
    for (const service of services) {
      expect(service).toContain('-o smtp_tls_security_level=secure\n');
      expect(service).toContain('-o smtp_tls_CAfile=/etc/ssl/certs/ca-certificates.crt\n');
      expect(service).toContain('-o smtp_sasl_mechanism_filter=plain,login\n');
      expect(service).toContain('-o smtp_sasl_security_options=noanonymous\n');
    }
    expect(services[0]).not.toContain('wrappermode');
    expect(services[1]).toContain('-o smtp_tls_wrappermode=yes\n');
    expect(services[1]).toContain('texthash:/etc/smtp-setup/relay/example.net\n');
  });

  it('leave every file as it is where there are none', () => {
    for (const path of ['/etc/postfix/main.cf', '/etc/postfix/master.cf']) {
      expect(fileOf(base, path)).not.toMatch(/relay-|sasl_password|^default_transport/m);
    }
  });

  it('are signed so that what they write anew is not covered', () => {
    const path = '/etc/rspamd/local.d/dkim_signing.conf';
    expect(fileOf(model, path)).not.toContain('sign_headers');
    const ses = fileOf({ ...base, relays: [{ ...relay, rewrites: ['message-id', 'date'] }] }, path);
    const fields = /^sign_headers = "(.*)";$/m.exec(ses)?.[1]?.split(':') ?? [];
    expect(fields).toContain('(o)from');
    expect(fields).toContain('(o)subject');
    expect(fields.some((field) => /^(\(.\))?(message-id|date)$/.test(field))).toBe(false);
  });
});

describe('what relays need beside Postfix', () => {
  it('is installed with them only', () => {
    expect(part?.applies(base)).toBe(false);
    expect(part?.packages({ ...base, relays: [relay] })).toEqual(['ca-certificates', 'libsasl2-modules']);
  });

  it('goes after them: a login that nothing uses any more', () => {
    const model = {
      ...base,
      relays: [relay],
      has: { ...nothingDone, relayLogins: ['server', 'example.net'] },
    };
    expect(part?.steps(model)).toEqual([
      expect.objectContaining({ id: 'relay-forget:example.net', after: 'services', run: 'install' }),
    ]);
    expect(part?.applies({ ...model, relays: [] })).toBe(true);
  });
});
