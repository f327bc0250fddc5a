import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { looksLikeDkimKey, parseDkimKey } from '../../../../src/dns/dkim-key.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
const spki = rsa.export({ type: 'spki', format: 'der' }).toString('base64');
const pkcs1 = rsa.export({ type: 'pkcs1', format: 'der' }).toString('base64');
const edSpki = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
const problems = (text: string) => parseDkimKey(text).problems.map((problem) => problem.message);

describe('parseDkimKey (RFC 6376 3.6.1)', () => {
  it('reads an RSA key, in pieces and with white space', () => {
    const spaced = `${spki.slice(0, 100)} \t${spki.slice(100)}`;
    expect(parseDkimKey(`v=DKIM1; k=rsa; t=s:y; h=sha256; s=email; n=note; p=${spaced}`)).toMatchObject({
      algorithm: 'rsa',
      bits: 2048,
      spki,
      publicKey: spki,
      testing: true,
      strict: true,
      hashes: ['sha256'],
      services: ['email'],
      problems: [],
      usable: true,
    });
  });
  it('needs neither v nor k', () => {
    expect(parseDkimKey(`p=${spki}`)).toMatchObject({ algorithm: 'rsa', usable: true, services: ['*'] });
  });
  it('takes an empty p as revoked, a missing one as an error', () => {
    expect(parseDkimKey('v=DKIM1; p=')).toMatchObject({ revoked: true, usable: false, problems: [] });
    expect(parseDkimKey('v=DKIM1; k=rsa')).toMatchObject({ revoked: false, usable: false });
    expect(problems('v=DKIM1; k=rsa')).toEqual(['p= is missing']);
  });
  it('accepts a bare RSAPublicKey with a remark', () => {
    expect(parseDkimKey(`v=DKIM1; p=${pkcs1}`)).toMatchObject({ bits: 2048, spki, usable: true });
    expect(problems(`v=DKIM1; p=${pkcs1}`)[0]).toContain('SubjectPublicKeyInfo');
  });
  it('reads ed25519 keys as 32 raw bytes, and names the wrapped form (RFC 8463 4)', () => {
    const raw = edSpki.subarray(12).toString('base64');
    expect(parseDkimKey(`v=DKIM1; k=ed25519; p=${raw}`)).toMatchObject({ usable: true, problems: [] });
    expect(parseDkimKey(`v=DKIM1; k=ed25519; p=${edSpki.toString('base64')}`)).toMatchObject({
      usable: false,
      problems: [{ kind: 'ed25519', message: expect.stringContaining('32 raw bytes') }],
    });
    expect(problems('v=DKIM1; k=ed25519; p=AAAA')).toEqual(['an ed25519 key has 32 bytes, this one 3']);
  });
  it.each([
    [`k=rsa; v=DKIM1; p=${spki}`, 'v= must be the first tag'],
    [`v=DKIM2; p=${spki}`, 'v=DKIM2 is not DKIM1'],
    [`v=DKIM1; k=dsa; p=${spki}`, 'k=dsa is unknown'],
    [`v=DKIM1; p="${spki}"`, 'quotes or backslashes'],
    [`v=DKIM1\\; p=${spki}`, 'v=DKIM1\\ is not DKIM1'],
    ['v=DKIM1; p=MIIB*', 'not valid base64'],
    ['v=DKIM1; p=MIIBA', 'not valid base64'],
    [`v=DKIM1; p=${spki.slice(0, 200)}`, 'not an RSA public key'],
    [`v=DKIM1; p=${spki}; p=${spki}`, 'appears twice'],
    [`v=DKIM1; p=${edSpki.toString('base64')}`, 'not an RSA public key'],
  ])('%#: %s', (text, expected) => {
    expect(parseDkimKey(text).usable).toBe(false);
    expect(problems(text).join('\n')).toContain(expected);
  });
  it('is not usable for mail when the service says otherwise', () => {
    expect(parseDkimKey(`v=DKIM1; s=tlsrpt; p=${spki}`).usable).toBe(false);
  });
  it('tells keys from other TXT', () => {
    expect(looksLikeDkimKey('v=DKIM1; p=')).toBe(true);
    expect(looksLikeDkimKey(`k=rsa; p=${spki}`)).toBe(true);
    expect(looksLikeDkimKey('v=spf1 -all')).toBe(false);
  });
});
