import { describe, expect, it } from 'vitest';
import { type HostKeyPolicy, judgeHostKey, parseFingerprint, unknownKey } from '../../../src/ssh/host-key.js';
import { parseKnownHosts, readFingerprint } from '../../../src/ssh/known-hosts.js';

function blob(seed: string): Buffer {
  const part = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  return Buffer.concat([part('ssh-ed25519'), part(seed)]);
}
const one = blob('one');
const two = blob('two');
const fileLine = (key: Buffer, marker = '') => `${marker}box ssh-ed25519 ${key.toString('base64')}\n`;

function policy(text: string, extra: Partial<HostKeyPolicy> = {}): HostKeyPolicy {
  const { entries } = parseKnownHosts(text, '/home/u/.ssh/known_hosts');
  return {
    label: 'box',
    names: ['box'],
    entries,
    revoked: [],
    file: '/home/u/.ssh/known_hosts',
    hashNames: false,
    ...extra,
  };
}
const errorOf = (given: HostKeyPolicy, key: Buffer) => {
  const verdict = judgeHostKey(given, key);
  return verdict.accept || verdict.ask ? undefined : verdict.error;
};

describe('judgeHostKey', () => {
  it('accepts a key on file and says where it is', () => {
    expect(judgeHostKey(policy(fileLine(one)), one)).toEqual({
      accept: true,
      known: 'known',
      source: '/home/u/.ssh/known_hosts:1',
    });
  });

  it('asks about an unknown key', () => {
    expect(judgeHostKey(policy(''), one)).toEqual({ accept: false, ask: true });
  });

  it('names fingerprint and flag when nobody can be asked', () => {
    const error = unknownKey(policy(''), one, 'there is nobody to ask');
    expect(error).toMatchObject({ code: 'E_HOST_KEY_UNKNOWN', exit: 2 });
    expect(error.fix.join('\n')).toContain(`--host-key ${readFingerprint(one)}`);
  });

  it('stops at a changed key with both fingerprints, file and line', () => {
    const error = errorOf(policy(`# c\n${fileLine(two)}`), one);
    expect(error).toMatchObject({ code: 'E_HOST_KEY_CHANGED', exit: 2 });
    expect(error?.evidence.join('\n')).toContain(readFingerprint(one));
    expect(error?.evidence.join('\n')).toContain(
      `${readFingerprint(two)} (ssh-ed25519), /home/u/.ssh/known_hosts:2`,
    );
    expect(error?.fix.join('\n')).toContain("ssh-keygen -f /home/u/.ssh/known_hosts -R 'box'");
  });

  it('takes the given fingerprint and nothing else', () => {
    expect(judgeHostKey(policy('', { pin: readFingerprint(one) }), one)).toMatchObject({
      accept: true,
      known: 'pinned',
    });
    expect(judgeHostKey(policy(fileLine(two), { pin: readFingerprint(one) }), one)).toMatchObject({
      accept: true,
    });
    expect(errorOf(policy(fileLine(two), { pin: readFingerprint(one) }), two)?.code).toBe(
      'E_HOST_KEY_MISMATCH',
    );
  });

  it('refuses a revoked key even when it is pinned or confirmed', () => {
    const extra = { pin: readFingerprint(one), confirmed: one };
    expect(errorOf(policy(fileLine(one, '@revoked '), extra), one)?.code).toBe('E_HOST_KEY_REVOKED');
    expect(errorOf(policy('', { ...extra, revoked: [one] }), one)?.code).toBe('E_HOST_KEY_REVOKED');
  });

  it('holds on to the key that was confirmed', () => {
    expect(judgeHostKey(policy('', { confirmed: one }), one)).toMatchObject({
      accept: true,
      known: 'confirmed',
    });
    expect(errorOf(policy('', { confirmed: one }), two)?.code).toBe('E_HOST_KEY_CHANGED');
  });

  it('explains certificate authorities', () => {
    const error = errorOf(policy(fileLine(two, '@cert-authority ')), one);
    expect(error?.code).toBe('E_HOST_KEY_CERTIFICATE');
    expect(error?.fix.join('\n')).toContain(readFingerprint(one));
  });
});

describe('parseFingerprint', () => {
  it('takes the form of ssh-keygen, padded or not', () => {
    const form = readFingerprint(one);
    expect(parseFingerprint(form)).toBe(form);
    expect(parseFingerprint(` ${form}= `)).toBe(form);
  });

  it.each(['MD5:aa:bb', 'SHA256:short', 'nonsense', ''])('refuses %j', (text) => {
    expect(() => parseFingerprint(text)).toThrow(
      expect.objectContaining({ code: 'E_HOST_KEY_FORMAT', exit: 2 }),
    );
  });
});
