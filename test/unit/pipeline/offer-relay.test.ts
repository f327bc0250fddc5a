import { describe, expect, it } from 'vitest';
import type { Asker } from '../../../src/config/asker.js';
import { openGivenFiles } from '../../../src/config/given-files.js';
import { noInputAsker } from '../../../src/config/no-input-asker.js';
import { configSchema } from '../../../src/config/schema.js';
import { offerRelay } from '../../../src/pipeline/offer-relay.js';
import type { Reached } from '../../../src/pipeline/prepare.js';
import type { Session } from '../../../src/pipeline/session.js';
import { enter, scriptAnswers } from '../../helpers/scripted-asker.js';

const host = 'mail.example.org';
const config = configSchema.parse({
  version: 1,
  servers: { [host]: { ssh: `root@${host}` } },
  domains: { 'example.org': { dns: 'cloudflare' } },
});

function reached(result: 'timeout' | 'open', relayLogins: { name: string; host: string }[] = []): Reached {
  const outbound = [{ host: 'mx.example.net', family: 4, result, detail: '220 mx' }];
  return { facts: { outbound, relayLogins, dmi: {} } } as unknown as Reached;
}

function session(asker: Asker, env: Record<string, string> = {}): Session {
  const context = { env, files: openGivenFiles(process.stdin), redactor: { add() {} } };
  return { asker, context, answers: {} } as unknown as Session;
}

describe('a network that blocks port 25', () => {
  it('leads to a hosted relay, with its region and its login', async () => {
    const asker = scriptAnswers([
      ['relay', 'ses'],
      ['relayRegion', 'eu-west-1'],
      ['relayUser', 'AKIAEXAMPLE'],
      ['relayPassword', 'made at the console'],
    ]);
    const offered = await offerRelay(session(asker), reached('timeout'), config, host);
    asker.finish();
    expect(offered.config.servers[host]?.relay).toEqual({ provider: 'ses', region: 'eu-west-1' });
    expect(offered.logins.get('server')?.user).toBe('AKIAEXAMPLE');
  });

  it('asks only for what is not the same for everybody', async () => {
    const fixed = scriptAnswers([
      ['relay', 'sendgrid'],
      ['relayRegion', enter],
      ['relayPassword', 'SG.key'],
    ]);
    const sendgrid = await offerRelay(session(fixed), reached('timeout'), config, host);
    fixed.finish();
    expect(sendgrid.config.servers[host]?.relay).toEqual({ provider: 'sendgrid' });
    expect(sendgrid.logins.get('server')).toMatchObject({ user: 'apikey' });
    const twice = scriptAnswers([
      ['relay', 'postmark'],
      ['relayRegion', enter],
      ['relayPassword', 'token'],
    ]);
    const postmark = await offerRelay(session(twice), reached('timeout'), config, host);
    twice.finish();
    expect(postmark.logins.get('server')?.user).toBe('token');
  });

  it('takes any host, and no for an answer', async () => {
    const custom = scriptAnswers([
      ['relay', 'custom'],
      ['relayHost', 'smtp.example.net:465'],
      ['relayUser', 'me'],
      ['relayPassword', 'secret'],
    ]);
    const own = await offerRelay(session(custom), reached('timeout'), config, host);
    expect(own.config.servers[host]?.relay).toMatchObject({
      provider: 'custom',
      host: 'smtp.example.net',
      port: 465,
    });
    const no = scriptAnswers([['relay', 'none']]);
    expect(await offerRelay(session(no), reached('timeout'), config, host)).toEqual({
      config,
      logins: new Map(),
    });
  });

  it('is not spoken of where mail can leave, nor where nobody can answer', async () => {
    for (const [asker, result] of [
      [scriptAnswers([]), 'open'],
      [noInputAsker, 'timeout'],
    ] as const)
      expect(await offerRelay(session(asker), reached(result), config, host)).toEqual({
        config,
        logins: new Map(),
      });
  });

  it('finds the login of an earlier time on the server, and else says what is missing', async () => {
    const relay = { provider: 'sendgrid' };
    const chosen = { ...config, servers: { [host]: { ...config.servers[host], relay } } } as typeof config;
    const there = reached('timeout', [{ name: 'server', host: 'smtp.sendgrid.net' }]);
    expect((await offerRelay(session(noInputAsker), there, chosen, host)).logins.size).toBe(0);
    await expect(offerRelay(session(noInputAsker), reached('timeout'), chosen, host)).rejects.toThrow(
      expect.objectContaining({
        code: 'E_MISSING',
        evidence: [expect.stringContaining('--relay-password-file')],
      }),
    );
    const env = { SMTP_SETUP_RELAY_PASSWORD: 'SG.key' };
    const given = await offerRelay(session(noInputAsker, env), reached('timeout'), chosen, host);
    expect(given.logins.get('server')?.password.reveal()).toBe('SG.key');
  });

  it('refuses a password that would get lost on its way', async () => {
    const relay = { provider: 'sendgrid' };
    const chosen = { ...config, servers: { [host]: { ...config.servers[host], relay } } } as typeof config;
    for (const bad of ['ends with a blank ', 'two\nlines']) {
      const env = { SMTP_SETUP_RELAY_PASSWORD: bad };
      await expect(offerRelay(session(noInputAsker, env), reached('timeout'), chosen, host)).rejects.toThrow(
        expect.objectContaining({ code: 'E_RELAY_PASSWORD' }),
      );
    }
  });
});
