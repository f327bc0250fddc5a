import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findPasswordFault, generatePassword } from '../../../src/config/password.js';

const fault = (password: string): string | undefined =>
  findPasswordFault(password, 'ada.lovelace@example.org');

describe('generatePassword', () => {
  it('makes 20 characters in groups that pass the check', () => {
    for (let i = 0; i < 100; i += 1) {
      const password = generatePassword(randomBytes);
      expect(password).toMatch(/^([a-km-zA-HJ-NP-Z2-9]{5}-){3}[a-km-zA-HJ-NP-Z2-9]{5}$/);
      expect(fault(password)).toBeUndefined();
    }
  });

  it('favours no character: bytes beyond the last whole multiple of the alphabet are thrown away', () => {
    const bytes = [Uint8Array.from(Array(32).fill(255)), Uint8Array.from(Array(32).fill(0))];
    expect(generatePassword(() => bytes.shift() ?? new Uint8Array(32))).toBe('aaaaa-aaaaa-aaaaa-aaaaa');
  });
});

describe('findPasswordFault', () => {
  it.each([
    ['short', /5 characters; 12/],
    ['12345678901', /11 characters/],
    ['pässwörter1', /11 characters/],
    ['with\nline break ok', /control/],
    [' leading blank here', /blank/],
    ['aaaaaaaaaaaabbbb', /same few/],
    ['abcdefghijklmnop', /run of/],
    ['poiuytrewq09876', /run of|first/],
    ['1234567890123', /run of/],
    ['Password-2024!!', /everybody/],
    ['P4ssw0rd20242024', /everybody/],
    ['qwertyqwerty12', /everybody/],
    ['correcthorsebatterystaple', /everybody/],
    ['ada.lovelace1234', /address/],
    ['Lovelace-2024-99', /address/],
    ['8273-9182-7364-99', /digits/],
    ['x'.repeat(50).concat('abcdefg'.repeat(40)), /longer/],
  ])('refuses %j', (password, sentence) => {
    expect(fault(password)).toMatch(sentence);
  });

  it.each(['kumquat-Tandem-42-orbit', 'vier Füße auf dem Dach', 'Zr8#kq!mW2pl'])('takes %j', (password) => {
    expect(fault(password)).toBeUndefined();
  });

  it('has an answer to every string', () => {
    fc.assert(
      fc.property(fc.string(), fc.emailAddress(), (password, mailbox) => {
        const answer = findPasswordFault(password, mailbox);
        expect(answer === undefined || answer.length > 0).toBe(true);
      }),
    );
  });
});
