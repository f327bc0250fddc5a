import { describe, expect, it } from 'vitest';
import { collectAnswers } from '../../../src/config/answers.js';
import type { Lock } from '../../../src/config/lock.js';
import { parseConfig } from '../../../src/config/parse.js';
import type { QuestionKey } from '../../../src/config/questions.js';
import {
  answersForLogin,
  type Machine,
  recogniseServer,
  refuseOtherMachine,
} from '../../../src/pipeline/known-servers.js';

const host = 'mail.example.org';
const file = `version: 1
servers:
  ${host}:
    ssh: root@vps
    identity: ./id
    hostKey: SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
domains:
  example.org: {dns: cloudflare}
`;
const at = '203.0.113.25';
const lock = (servers: Lock['servers']): Lock => ({ version: 1, servers, domains: {} });
const known = {
  loaded: parseConfig(file, 'smtp-setup.yaml'),
  lock: lock({ [host]: { ipv4: at } }),
  configPath: 'smtp-setup.yaml',
};

type Flags = Partial<Record<QuestionKey, string>>;

function given(flags: Flags, env: Record<string, string> = {}) {
  return answersForLogin(known, collectAnswers({ flags, env, file: known.loaded }));
}

function machine(address: string, ours?: string): Machine {
  return {
    facts: {
      addresses: { ipv4: address, all: [address, '172.17.0.1'] },
      hostName: {
        kernel: 'vps',
        static: 'vps',
        fqdn: ours ?? 'vps.example.net',
        hosts: [],
        mailName: '',
        resetAtBoot: false,
      },
      state: { manifest: ours === undefined ? 'absent' : { schema: 1, generation: 1, files: [] } },
    },
    link: { connection: { remoteAddress: address } },
  } as Machine;
}

describe('what the file says of its server', () => {
  it.each([
    ['another machine', { ssh: 'root@203.0.113.77', domain: 'example.net' }],
    ['another machine for the same domain', { ssh: 'root@203.0.113.77' }],
    ['another port of an address behind translation', { ssh: 'root@vps:2222' }],
  ])('is no answer about %s', (_what, flags) => {
    const answers = given(flags);
    expect(answers.ssh?.value).toBe(flags.ssh);
    expect(answers.domain?.value).toBe('domain' in flags ? flags.domain : 'example.org');
    expect([answers.hostname, answers.identity, answers.hostKey]).toEqual([undefined, undefined, undefined]);
  });

  it('is none for a login of the environment either', () => {
    expect(given({}, { SMTP_SETUP_SSH: 'root@203.0.113.77' }).hostname).toBeUndefined();
  });

  it.each<[string, Flags]>([
    ['no login at all', { domain: 'example.net' }],
    ['the same login', { ssh: 'root@vps', domain: 'example.net' }],
    ['another user', { ssh: 'ada@VPS' }],
    ['the host name', { ssh: `root@${host}` }],
    ['the address that it has', { ssh: `ada@${at}:2222` }],
  ])('stays with %s', (_what, flags) => {
    expect(given(flags)).toMatchObject({ hostname: { value: host }, identity: { value: './id' } });
  });

  it('leaves what flags say', () => {
    const flags = { ssh: 'root@203.0.113.77', hostname: host, identity: '/other' };
    expect(given(flags)).toMatchObject({ hostname: { value: host }, identity: { value: '/other' } });
  });
});

describe('a machine is recognised', () => {
  it('by its manifest and name, or by the address in the lock file', () => {
    expect(recogniseServer(known, machine('203.0.113.99', host))).toBe(host);
    expect(recogniseServer(known, machine(at))).toBe(host);
    expect(recogniseServer(known, machine('203.0.113.77'))).toBeUndefined();
    expect(recogniseServer(known, machine('203.0.113.77', 'mx.example.net'))).toBeUndefined();
  });
});

describe('a host name that another machine has', () => {
  const refuse = (flags: Flags, reached: Machine, place: Partial<typeof known> = {}) => {
    const answers = collectAnswers({ flags, env: {}, file: known.loaded });
    refuseOtherMachine({ ...known, ...place }, answers, reached);
  };
  const elsewhere = { ssh: 'root@203.0.113.77', domain: 'example.net', hostname: host };

  it('is refused for a fresh machine, with what is known and how to go on', () => {
    expect(() => refuse(elsewhere, machine('203.0.113.77'))).toThrow(
      expect.objectContaining({
        code: 'E_OTHER_MACHINE',
        exit: 2,
        message: expect.stringContaining(`${host} is the name of another machine`),
        evidence: [
          `smtp-setup.yaml: ${host} is reached by root@vps`,
          `lock file: ${host} is at ${at}`,
          expect.stringContaining('203.0.113.77'),
        ],
        fix: expect.arrayContaining([
          expect.stringContaining('--hostname'),
          expect.stringContaining('smtp-setup restore FILE'),
          expect.stringContaining(`change ssh (and hostKey) of ${host} in smtp-setup.yaml`),
        ]),
      }),
    );
  });

  it('is refused when the lock file alone knows it, and not for a first try that only the file holds', () => {
    const inFile = { lock: lock({}) };
    const inLock = { loaded: parseConfig('version: 1\nservers: {}\ndomains: {}\n', 'smtp-setup.yaml') };
    expect(() => refuse(elsewhere, machine('203.0.113.77'), inLock)).toThrow(/another machine/);
    expect(() => refuse(elsewhere, machine('203.0.113.77'), inFile)).not.toThrow();
  });

  it.each<[string, Flags, Machine]>([
    ['the machine was reinstalled and kept its address', elsewhere, machine(at)],
    ['it has been set up by smtp-setup', elsewhere, machine('203.0.113.77', host)],
    ['the login is that of the file, whose address was changed by hand', {}, machine('203.0.113.77')],
    [
      'a second server gets a name of its own',
      { ...elsewhere, hostname: 'mx2.example.net' },
      machine('203.0.113.77'),
    ],
  ])('is let be when %s', (_what, flags, reached) => {
    expect(() => refuse(flags, reached)).not.toThrow();
  });

  it('is not evaded by moving the domain to a name that nobody chose', () => {
    const answers = given({ ssh: 'root@203.0.113.77' });
    const reached = machine('203.0.113.77');
    const named = (value: string, from: 'detected' | 'answer') =>
      refuseOtherMachine(known, { ...answers, hostname: { value, origin: { from } } }, reached);
    expect(() => named('vps.example.org', 'detected')).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`example.org is on ${host}`) }),
    );
    expect(() => named('vps.example.org', 'answer')).not.toThrow();
  });
});
