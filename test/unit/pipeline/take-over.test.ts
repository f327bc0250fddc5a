import { describe, expect, it } from 'vitest';
import { noInputAsker } from '../../../src/config/no-input-asker.js';
import { type Config, configSchema } from '../../../src/config/schema.js';
import { askAboutForeignMx } from '../../../src/pipeline/ask-foreign-mx.js';
import { readConsents } from '../../../src/pipeline/consents.js';
import {
  findForeignMx,
  parseTakeOver,
  planRecipients,
  prepareForeignPostfix,
  prepareTakeOver,
  recallDeferral,
} from '../../../src/pipeline/take-over.js';
import { scriptAnswers } from '../../helpers/scripted-asker.js';
import { domainName, hostName, mx } from '../dns/zone-fixture.js';

const config: Config = configSchema.parse({
  version: 1,
  servers: { [hostName]: { ssh: 'root@198.51.100.7' } },
  domains: { [domainName]: { dns: 'cloudflare' } },
});
const google = [mx('aspmx.l.google.com', 1), mx('alt1.aspmx.l.google.com', 5)];
const zones = (records = google) => [{ live: records }];
const none = { update: false, delete: false };
const listed = { ...none, takeOverMx: { recipients: [`ada@${domainName}`] } };

describe('--take-over-mx', () => {
  it('is a list of addresses, or @ alone', () => {
    expect(parseTakeOver(' Ada@Example.ORG, info@example.org ')).toEqual({
      recipients: ['ada@example.org', 'info@example.org'],
    });
    expect(parseTakeOver('@')).toEqual({ catchAll: true });
    for (const text of ['', ' , ', '@,ada@example.org'])
      expect(() => parseTakeOver(text)).toThrow(
        expect.objectContaining({ code: 'E_TAKE_OVER_LIST', exit: 2 }),
      );
    expect(() => parseTakeOver('ada')).toThrow(expect.objectContaining({ exit: 2 }));
  });

  it('becomes a consent only when it is given', () => {
    const flags = { allowUpdate: true, allowDelete: false, allowUnproxy: true, onConflict: 'stop' as const };
    expect(readConsents(flags)).toEqual({ update: true, delete: false, unproxy: true });
    expect(readConsents({ ...flags, takeOverMx: '@' }).takeOverMx).toEqual({ catchAll: true });
  });
});

describe('a foreign MX', () => {
  it('is found where mail shall come here, best first, and a backup MX is none', () => {
    expect(findForeignMx(config, hostName, zones())).toEqual(
      new Map([[domainName, ['aspmx.l.google.com', 'alt1.aspmx.l.google.com']]]),
    );
    expect(findForeignMx(config, hostName, zones([mx(hostName, 10), mx('backup.example', 20)])).size).toBe(0);
    expect(findForeignMx(config, hostName, zones([mx(hostName, 10), mx('rival.example', 10)])).size).toBe(1);
    expect(findForeignMx(config, hostName, zones([mx('', 0)])).size).toBe(0);
    const domains = { [domainName]: { ...config.domains[domainName], mail: 'send-only' } };
    expect(findForeignMx(configSchema.parse({ ...config, domains }), hostName, zones()).size).toBe(0);
  });

  it('that is taken over makes the server put unknown recipients off', () => {
    const after = prepareTakeOver(config, hostName, zones(), listed);
    expect(after.servers[hostName]?.unknownRecipients).toBe('defer');
    expect(prepareTakeOver(config, hostName, zones(), none)).toBe(config);
    expect(prepareTakeOver(config, hostName, zones([mx(hostName)]), listed)).toBe(config);
  });

  it('and so does the configuration of a Postfix that was here before', () => {
    const path = '/etc/postfix/main.cf';
    const file = { type: 'file', mode: '0644', owner: 'root:root', pristine: false } as const;
    const version = { version: '3.7.11', installed: true, held: false };
    const state = { manifest: 'absent', generation: 0, pending: [], runs: [] } as const;
    const facts = { packages: new Map([['postfix', version]]), files: new Map([[path, file]]), state };
    const after = prepareForeignPostfix(config, hostName, facts, 'take-over');
    expect(after.servers[hostName]?.unknownRecipients).toBe('defer');
    expect(prepareForeignPostfix(config, hostName, facts, 'stop')).toBe(config);
    expect(prepareForeignPostfix(config, hostName, { ...facts, files: new Map() }, 'take-over')).toBe(config);
  });

  it('is followed by the day on which they are refused again', () => {
    const { title, detail } = recallDeferral(hostName, Date.parse('2026-11-24T10:00:00Z'), true);
    expect(title).toContain('2026-12-01');
    expect(detail.join(' ')).toContain('unknownRecipients: reject');
  });
});

describe('whoever gets mail today', () => {
  const input = {
    domains: [domainName],
    accounts: {
      mailboxes: [`ada@${domainName}`],
      aliases: [{ address: `sales@${domainName}`, targets: [] }],
    },
    coming: [`bob@${domainName}`],
    mapType: 'hash',
  };
  const list = (...recipients: string[]) => ({
    recipients: recipients.map((name) => `${name}@${domainName}`),
  });

  it('has a mailbox, an alias, or a mailbox that the same run creates', () => {
    expect(
      planRecipients({ ...input, consent: list('ada', 'ada+shop', 'bob', 'sales', 'postmaster') }),
    ).toEqual([]);
  });

  it('or is named, and nothing is touched', () => {
    const plan = () => planRecipients({ ...input, consent: list('ada', 'eve', 'info') });
    expect(plan).toThrow(
      expect.objectContaining({
        code: 'E_MX_RECIPIENTS',
        exit: 2,
        evidence: [`eve@${domainName}`, `info@${domainName}`],
      }),
    );
    const strangers = { recipients: ['ada@elsewhere.example'] };
    expect(() => planRecipients({ ...input, consent: strangers })).toThrow(
      expect.objectContaining({ code: 'E_MX_RECIPIENTS', evidence: ['ada@elsewhere.example'] }),
    );
  });

  it('is nobody’s business once the MX is ours', () => {
    expect(planRecipients({ ...input, domains: [], consent: list('eve') })).toEqual([]);
  });

  it('reaches one mailbox by a catch-all, made once', () => {
    const consent = { catchAll: true } as const;
    expect(planRecipients({ ...input, consent })).toMatchObject([
      {
        run: 'install',
        calls: [{ fn: 'accounts_alias', args: [`@${domainName}`, `ada@${domainName}`, 'hash'] }],
      },
    ]);
    const aliases = [{ address: `@${domainName}`, targets: [`ada@${domainName}`] }];
    const there = { ...input, accounts: { ...input.accounts, aliases } };
    expect(planRecipients({ ...there, consent })).toEqual([]);
    expect(planRecipients({ ...there, consent: list('anybody') })).toEqual([]);
    const empty = { ...input, accounts: { mailboxes: [], aliases: [] }, coming: ['ada@elsewhere.example'] };
    expect(() => planRecipients({ ...empty, consent })).toThrow(
      expect.objectContaining({ code: 'E_MX_RECIPIENTS' }),
    );
  });
});

describe('init at a terminal asks what shall become of mail that goes elsewhere', () => {
  const ask = async (script: Parameters<typeof scriptAnswers>[0], consents: object = none) => {
    const asker = scriptAnswers(script);
    const result = await askAboutForeignMx(asker, {
      config,
      hostname: hostName,
      zones: zones(),
      consents: { ...none, ...consents },
    });
    asker.finish();
    return result;
  };

  it('keeps it there and only sends', async () => {
    const result = await ask([['foreignMx', 'keep']]);
    expect(result.config.domains[domainName]?.mail).toBe('send-only');
    expect(result.consents.takeOverMx).toBeUndefined();
  });

  it('moves it, with everybody who gets mail', async () => {
    const result = await ask([
      ['foreignMx', 'take-over'],
      ['takeOverMx', 'ada@example.org'],
    ]);
    expect(result.config.domains[domainName]?.mail).toBe('full');
    expect(result.consents.takeOverMx).toEqual({ recipients: ['ada@example.org'] });
    await expect(
      ask([
        ['foreignMx', 'take-over'],
        ['takeOverMx', 'ada'],
      ]),
    ).rejects.toThrow(/refused/);
  });

  it('or stops', async () => {
    await expect(ask([['foreignMx', 'stop']])).rejects.toMatchObject({ exit: 130 });
  });

  it('and nothing when the flag has said it, or nobody can answer', async () => {
    expect((await ask([], { takeOverMx: { catchAll: true } })).config).toBe(config);
    const given = { config, hostname: hostName, zones: zones(), consents: none };
    expect(await askAboutForeignMx(noInputAsker, given)).toEqual({ config, consents: none });
  });
});
