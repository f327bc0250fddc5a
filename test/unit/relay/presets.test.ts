import { describe, expect, it } from 'vitest';
import { parseHostname } from '../../../src/lib/names.js';
import { chooseRelay, type RelayChoice } from '../../../src/relay/choose-relay.js';
import type { RelayPreset } from '../../../src/relay/preset.js';
import {
  findPreset,
  findTombstone,
  relayPresets,
  relayTombstones,
} from '../../../src/relay/presets/index.js';

/** Every provider that the tool promises to know, by a name people use for it. */
const promised = [
  'ses',
  'sendgrid',
  'mailgun',
  'brevo',
  'sendinblue',
  'mailjet',
  'postmark',
  'sparkpost',
  'bird',
  'elasticemail',
  'sendpulse',
  'netcore',
  'pepipost',
  'mandrill',
  'mailtrap',
  'pabbly',
  'mailify',
  // The mailers of WP Mail SMTP that are not above.
  'sendlayer',
  'smtpcom',
  'smtp2go',
  'mailersend',
  'resend',
  'zoho',
  'gmail',
  'google-workspace',
  'outlook',
  'office365',
];

const everything = [...relayPresets, ...relayTombstones];
const names = ({ id, aliases = [] }: Pick<RelayPreset, 'id' | 'aliases'>) => [id, ...aliases];

function hostsOf(preset: RelayPreset): string[] {
  const parts = preset.regions === undefined ? [''] : Object.values(preset.regions.parts);
  return parts.map((part) => preset.host.replace('{region}', part));
}

describe('the table of relays', () => {
  it.each(promised)('knows %s', (name) => {
    expect(findPreset(name) ?? findTombstone(name)).toBeDefined();
  });

  it('gives each name to one provider only', () => {
    const all = everything.flatMap(names);
    expect(new Set(all).size).toBe(all.length);
    for (const name of [...all, 'custom']) expect(name).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
    expect(all).not.toContain('custom');
  });

  it('cites a page and the day on which it was read', () => {
    for (const { id, source } of everything) {
      expect(new URL(source.url).protocol, id).toBe('https:');
      expect(source.read, id).toMatch(/^20\d\d-\d\d-\d\d$/);
    }
  });

  it('names successors that exist where nothing is left', () => {
    for (const { id, successors } of relayTombstones) {
      expect(successors.length, id).toBeGreaterThan(0);
      for (const one of successors) expect(one === 'custom' || findPreset(one) !== undefined, one).toBe(true);
    }
  });

  it.each(relayPresets.map((preset) => [preset.id, preset] as const))(
    'has a whole entry for %s',
    (_id, preset) => {
      expect(preset.host.includes('{region}')).toBe(preset.regions !== undefined);
      for (const host of hostsOf(preset)) expect(parseHostname(host)).toBe(host);
      if (preset.regions?.default !== undefined)
        expect(Object.keys(preset.regions.parts)).toContain(preset.regions.default);
      const ports = preset.ports.map(({ port }) => port);
      expect(new Set(ports).size).toBe(ports.length);
      // The network that blocks 25 is the reason for a relay.
      expect(ports).not.toContain(25);
      for (const { port, tls } of preset.ports) {
        if ([465, 2465, 8465].includes(port)) expect(tls, String(port)).toBe('wrapper');
        else expect(tls, String(port)).toBe('starttls');
      }
      const { login, spf, dkim, limits } = preset;
      expect(login.mechanisms.length).toBeGreaterThan(0);
      // Postfix divides its line of user and password at the first colon.
      if (login.fixedUser !== undefined) expect(login.fixedUser).toMatch(/^[^:\s]+$/);
      if (login.userIsPassword) expect(login.fixedUser).toBeUndefined();
      if (spf.include !== undefined)
        expect(spf.include).toMatch(/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?\.[a-z]+$/);
      for (const text of [login.user, login.password, spf.why, dkim.advice, limits])
        expect(text).not.toBe('');
      for (const field of preset.rewrites ?? []) expect(field).toBe(field.toLowerCase());
    },
  );

  it('tells what people get wrong', () => {
    expect(findPreset('sendgrid')?.login.fixedUser).toBe('apikey');
    expect(findPreset('sparkpost')?.login).toMatchObject({
      fixedUser: 'SMTP_Injection',
      mechanisms: ['LOGIN'],
    });
    expect(findPreset('postmark')?.login.userIsPassword).toBe(true);
    expect(findPreset('ses')?.login.password).toMatch(/not the secret access key/);
    expect(findPreset('ses')?.rewrites).toEqual(['message-id', 'date']);
    expect(findPreset('mailtrap')?.login.fixedUser).toBe('api');
    expect(findPreset('outlook')?.notes?.join(' ')).toMatch(/retiring passwords/);
  });
});

describe('a choice', () => {
  const chosen = (choice: RelayChoice) => {
    const result = chooseRelay(choice);
    if (!result.ok) throw new Error(result.problem);
    return result.relay;
  };
  const refused = (choice: RelayChoice) => {
    const result = chooseRelay(choice);
    if (result.ok) throw new Error(`${result.relay.host} was taken`);
    return `${result.problem} ${result.hint}`;
  };

  it('is completed from the preset', () => {
    expect(chosen({ provider: 'sendgrid' })).toMatchObject({
      provider: 'sendgrid',
      host: 'smtp.sendgrid.net',
      port: 587,
      tls: 'starttls',
      spfInclude: 'sendgrid.net',
    });
    expect(chosen({ provider: 'sendinblue' }).provider).toBe('brevo');
    expect(chosen({ provider: 'mailgun', region: 'eu' }).host).toBe('smtp.eu.mailgun.org');
    expect(chosen({ provider: 'postmark', region: 'broadcasts' }).host).toBe(
      'smtp-broadcasts.postmarkapp.com',
    );
    expect(chosen({ provider: 'ses', region: 'eu-west-1' }).host).toBe('email-smtp.eu-west-1.amazonaws.com');
  });

  it('takes TLS from the port, and the port from the TLS that is asked for', () => {
    expect(chosen({ provider: 'resend', port: 2465 }).tls).toBe('wrapper');
    expect(chosen({ provider: 'resend', tls: 'wrapper' }).port).toBe(465);
    expect(chosen({ provider: 'custom', host: 'smtp.example.net' })).toMatchObject({
      port: 587,
      tls: 'starttls',
    });
    expect(chosen({ provider: 'custom', host: 'smtp.example.net', port: 465 }).tls).toBe('wrapper');
  });

  it('lets the user overrule what the preset says', () => {
    const own = { host: 'relay.example.net', spfInclude: 'spf.example.net' };
    expect(chosen({ provider: 'netcore', ...own })).toMatchObject(own);
    expect(chosen({ provider: 'ses', host: 'email-smtp.eu-west-9.amazonaws.com' }).host).toContain(
      'eu-west-9',
    );
  });

  it('is refused with what to give instead', () => {
    expect(refused({ provider: 'ses' })).toMatch(/wants a region.*eu-west-1/);
    expect(refused({ provider: 'mailgun', region: 'mars' })).toMatch(/no region mars.*us, eu/);
    expect(refused({ provider: 'brevo', region: 'eu' })).toMatch(/no regions/);
    expect(refused({ provider: 'custom' })).toMatch(/--host/);
    expect(refused({ provider: 'mailify' })).toMatch(/became Sarbacane.*custom/);
    expect(refused({ provider: 'pabbly' })).toMatch(/ses/);
    expect(refused({ provider: 'nonesuch' })).toMatch(/Known are .*sendgrid/);
  });
});
