import { describe, expect, it } from 'vitest';
import { mergeAnswers } from '../../../src/config/merge-answers.js';
import { parseConfig } from '../../../src/config/parse.js';
import { renderConfig } from '../../../src/config/save.js';
import { Secret } from '../../../src/config/secret.js';
import { relayLogins } from '../../../src/facts/relay-logins.js';
import { intendDns, ownIncludes } from '../../../src/pipeline/desired-dns.js';
import { planRelayLogins } from '../../../src/plan/plan-relay-logins.js';
import { parseRelayName, readRelayName } from '../../../src/relay/relay-name.js';
import { relayFor, relaysOf } from '../../../src/relay/relays-of.js';

const yaml = `version: 1
servers:
  mail.example.org:
    ssh: root@mail.example.org
    relay: # bought in March
      provider: sendgrid
domains:
  example.org:
    dns: cloudflare
  example.net:
    dns: cloudflare
    relay:
      provider: ses
      region: eu-west-1
      tls: wrapper
`;
const { config } = parseConfig(yaml, 'smtp-setup.yaml');
const relays = relaysOf(config, 'mail.example.org');

describe('relays of the configuration', () => {
  it('are the server’s own and those of its domains', () => {
    expect(relays.map(({ name, domain, relay }) => [name, domain, relay.host, relay.port])).toEqual([
      ['server', undefined, 'smtp.sendgrid.net', 587],
      ['example.net', 'example.net', 'email-smtp.eu-west-1.amazonaws.com', 465],
    ]);
    expect(relayFor(relays, 'example.org')?.provider).toBe('sendgrid');
    expect(relayFor(relays, 'example.net')?.provider).toBe('ses');
    expect(relaysOf(config, 'other.example.org')).toEqual([]);
  });

  it('are refused in the file with what to write instead', () => {
    const wrong = (text: string) => () =>
      parseConfig(yaml.replace('provider: sendgrid', text), 'smtp-setup.yaml');
    expect(wrong('provider: nonesuch')).toThrow(
      expect.objectContaining({ evidence: [expect.stringMatching(/No relay provider nonesuch.*custom/)] }),
    );
    expect(wrong('provider: mailify')).toThrow(
      expect.objectContaining({ evidence: [expect.stringMatching(/Sarbacane/)] }),
    );
    expect(wrong('provider: ses')).toThrow(
      expect.objectContaining({ evidence: [expect.stringMatching(/wants a region/)] }),
    );
    expect(wrong('provider: custom')).toThrow();
    expect(wrong('{ provider: sendgrid, password: secret }')).toThrow();
  });

  it('leave the file with everything else in its place', () => {
    const loaded = parseConfig(yaml, 'smtp-setup.yaml');
    const { relay: _gone, ...server } = loaded.config.servers['mail.example.org'] ?? { ssh: '' };
    const without = { ...loaded.config, servers: { 'mail.example.org': server as never } };
    expect(renderConfig(without, loaded)).toBe(yaml.replace(/ {4}relay: # bought.*\n.*sendgrid\n/, ''));
  });

  it('give the SPF of each domain its include, and take back only what was added', () => {
    const lock = { version: 1 as const, servers: {}, domains: {} };
    const live = [
      {
        name: 'example.org',
        ttl: 300,
        data: { type: 'TXT' as const, text: 'v=spf1 a:mail.example.org -all' },
      },
    ];
    const intent = intendDns(config, lock, 'mail.example.org', {}, new Map(), live);
    expect(intent.input.domains.map(({ name, spfIncludes }) => [name, spfIncludes])).toEqual([
      ['example.org', ['sendgrid.net']],
      ['example.net', undefined],
    ]);
    expect(ownIncludes(intent, lock, live).get('example.org')).toEqual(['sendgrid.net']);
    const theirs = [{ ...live[0], data: { type: 'TXT' as const, text: 'v=spf1 include:sendgrid.net ~all' } }];
    expect(ownIncludes(intent, lock, theirs as typeof live).get('example.org')).toEqual([]);
    const { relay: _off, ...plain } = config.servers['mail.example.org'] ?? { ssh: '' };
    const off = { ...config, servers: { 'mail.example.org': plain as never } };
    const before = { ...lock, domains: { 'example.org': { dkim: [], spfIncludes: ['sendgrid.net'] } } };
    const back = intendDns(off, before, 'mail.example.org', {}, new Map(), theirs as typeof live);
    expect(back.input.domains[0]).toMatchObject({ withdrawnIncludes: ['sendgrid.net'], otherSenders: false });
  });
});

describe('a relay by flag', () => {
  it('is a provider, perhaps with its region, or a host with its port', () => {
    expect(readRelayName('SendGrid')).toEqual({ provider: 'sendgrid' });
    expect(readRelayName('ses:eu-west-1')).toEqual({ provider: 'ses', region: 'eu-west-1' });
    expect(readRelayName('smtp.example.net:2525')).toEqual({
      provider: 'custom',
      host: 'smtp.example.net',
      port: 2525,
    });
    expect(readRelayName('smtp.com').provider).toBe('smtpcom');
    for (const bad of ['ses', 'nonesuch', 'smtp.example.net:0', 'smtp.example.net:x', 'smtp_.example.net'])
      expect(parseRelayName(bad).ok, bad).toBe(false);
  });

  it('becomes the server’s', () => {
    const flag = { value: 'mailgun:eu', origin: { from: 'flag' as const, name: '--relay' } };
    const host = { value: 'mail.example.org', origin: { from: 'flag' as const, name: '--hostname' } };
    const merged = mergeAnswers(config, { hostname: host, relay: flag });
    expect(merged.servers['mail.example.org']?.relay).toEqual({ provider: 'mailgun', region: 'eu' });
  });
});

describe('logins', () => {
  const given = new Map([['server', { user: 'apikey', password: new Secret('SG.x') }]]);
  const there = [{ name: 'example.net', host: 'email-smtp.eu-west-1.amazonaws.com' }];

  it('travel as a secret of the run only', () => {
    const { steps, secrets } = planRelayLogins(relays, there, given);
    expect(steps.map(({ id }) => id)).toEqual(['relay-login:server']);
    expect(JSON.stringify(steps)).not.toContain('SG.x');
    expect(secrets).toEqual([{ name: 'relay-server', value: 'apikey\nSG.x\n' }]);
  });

  it('must lie on the server for the same host when nobody gives them', () => {
    expect(planRelayLogins(relays.slice(1), there, new Map()).steps).toEqual([]);
    expect(() => planRelayLogins(relays, there, new Map())).toThrow(
      expect.objectContaining({
        code: 'E_RELAY_LOGIN',
        fix: expect.arrayContaining([expect.stringContaining('relay set sendgrid')]),
      }),
    );
    const other = [{ name: 'example.net', host: 'smtp.elsewhere.example' }];
    expect(() => planRelayLogins(relays.slice(1), other, new Map())).toThrow(
      expect.objectContaining({ evidence: ['It has one for smtp.elsewhere.example.'] }),
    );
  });

  it('are told by name and host, and whatever else a file holds is not', () => {
    const parse = (stdout: string) => relayLogins.parse({ code: 0, stdout });
    expect(parse('server smtp.sendgrid.net\nexample.net smtp.example.net\n')).toEqual([
      { name: 'server', host: 'smtp.sendgrid.net' },
      { name: 'example.net', host: 'smtp.example.net' },
    ]);
    expect(parse('')).toEqual([]);
    expect(parse('server smtp.sendgrid.net apikey:secret\n../x y\n')).toEqual([]);
  });
});
