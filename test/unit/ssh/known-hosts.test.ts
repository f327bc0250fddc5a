import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  keyTypeOf,
  knownHostsName,
  knownKeyTypes,
  lookupHostKey,
  orderHostKeyAlgorithms,
  parseKnownHosts,
  readFingerprint,
} from '../../../src/ssh/known-hosts.js';

/** A key blob of the right shape; nothing here checks the mathematics. */
function blob(type: string, seed: string): Buffer {
  const part = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  return Buffer.concat([part(type), part(seed)]);
}
const line = (names: string, key: Buffer, type = 'ssh-ed25519', marker = '') =>
  `${marker}${names} ${type} ${key.toString('base64')} a comment\n`;
const one = blob('ssh-ed25519', 'one');
const two = blob('ssh-ed25519', 'two');
const rsa = blob('ssh-rsa', 'three');

function look(text: string, key: Buffer, ...names: string[]) {
  return lookupHostKey(parseKnownHosts(text, 'kh').entries, names, key).status;
}

describe('known_hosts', () => {
  it('prints fingerprints as ssh-keygen does', () => {
    const real = 'AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
    // ssh-keygen -lf on GitHub's published ed25519 key.
    expect(readFingerprint(Buffer.from(real, 'base64'))).toBe(
      'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU',
    );
  });

  it.each([
    ['a plain name', line('box', one), 'known', ['box']],
    ['one of several names', line('other,box,10.0.0.1', one), 'known', ['box']],
    ['a name in other case', line('BOX', one), 'known', ['box']],
    ['a wildcard', line('*.example.com', one), 'known', ['a.example.com']],
    ['a negated name', line('*.example.com,!a.example.com', one), 'unknown', ['a.example.com']],
    ['a port', line('[box]:2222', one), 'known', ['[box]:2222', 'box']],
    ['the name without its port, same key', line('box', one), 'known', ['[box]:2222', 'box']],
    ['the name without its port, other key', line('box', two), 'unknown', ['[box]:2222', 'box']],
    ['the right name with another key', line('box', two), 'changed', ['box']],
    ['another type of key only', line('box', rsa, 'ssh-rsa'), 'changed', ['box']],
    ['one right key among several', line('box', two) + line('box', one), 'known', ['box']],
    ['no line', line('other', one), 'unknown', ['box']],
    ['a revoked key', line('*', one, 'ssh-ed25519', '@revoked '), 'revoked', ['box']],
    [
      'a revoked and known key',
      line('box', one) + line('box', one, 'ssh-ed25519', '@revoked '),
      'revoked',
      ['box'],
    ],
    [
      'another revoked key',
      line('box', one) + line('box', two, 'ssh-ed25519', '@revoked '),
      'known',
      ['box'],
    ],
    ['an authority only', line('*', two, 'ssh-ed25519', '@cert-authority '), 'authority', ['box']],
    [
      'an authority whose own key is presented',
      line('*', one, 'ssh-ed25519', '@cert-authority '),
      'authority',
      ['box'],
    ],
  ])('%s: %s', (_title, text, status, names) => {
    expect(look(text, one, ...names)).toBe(status);
  });

  it('finds hashed names', () => {
    const salt = Buffer.alloc(20, 7);
    const hash = createHmac('sha1', salt).update('[box]:2222').digest('base64');
    const text = line(`|1|${salt.toString('base64')}|${hash}`, one);
    expect(look(text, one, '[box]:2222', 'box')).toBe('known');
    expect(look(text, two, '[box]:2222', 'box')).toBe('changed');
    expect(look(text, one, 'box')).toBe('unknown');
  });

  it('names the line of what it found', () => {
    const { entries } = parseKnownHosts(`# comment\n\n${line('box', two)}`, '/h/known_hosts');
    expect(lookupHostKey(entries, ['box'], one)).toMatchObject({
      entries: [{ file: '/h/known_hosts', line: 3 }],
    });
  });

  it.each([
    ['a missing key', 'box ssh-ed25519\n'],
    ['a type that is not the key’s', line('box', rsa)],
    ['bad base64', 'box ssh-ed25519 !!!!\n'],
    ['an unknown marker', line('box', one, 'ssh-ed25519', '@maybe ')],
    ['an unknown hash', line('|2|AAAA|BBBB', one)],
    ['a short salt', line('|1|AAAA|BBBB', one)],
    ['a cut key', 'box ssh-ed25519 AAAAC3Nz\n'],
  ])('skips %s with a warning and reads on', (_title, bad) => {
    const { entries, warnings } = parseKnownHosts(bad + line('box', one), 'kh');
    expect(warnings).toEqual(['kh:1 is not a valid known_hosts line; it was skipped.']);
    expect(entries).toHaveLength(1);
  });

  it('files names as OpenSSH does', () => {
    expect(knownHostsName('Box', 22)).toBe('box');
    expect(knownHostsName('Box', 2222)).toBe('[box]:2222');
    expect(knownHostsName('box', 2222, 'Alias')).toBe('alias');
  });

  it('asks first for the types on file', () => {
    const { entries } = parseKnownHosts(line('box', rsa, 'ssh-rsa') + line('other', one), 'kh');
    const order = orderHostKeyAlgorithms(knownKeyTypes(entries, ['box']));
    expect(order.slice(0, 2)).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
    expect(order).toContain('ssh-ed25519');
    expect(order).not.toContain('ssh-rsa');
    expect(orderHostKeyAlgorithms([])[0]).toBe('ssh-ed25519');
    expect(keyTypeOf('rsa-sha2-256')).toBe('ssh-rsa');
  });
});
