import { describe, expect, it } from 'vitest';
import { describeSocketFailure, lostConnection, TRANSIENT_CODES } from '../../../src/ssh/failures.js';

const failure = (code: string) => Object.assign(new Error(`${code} it was`), { code });

describe('describeSocketFailure', () => {
  it.each([
    ['ENOTFOUND', 'E_SSH_DNS'],
    ['EAI_AGAIN', 'E_SSH_DNS'],
    ['ECONNREFUSED', 'E_SSH_REFUSED'],
    ['ETIMEDOUT', 'E_SSH_TIMEOUT'],
    ['ENETUNREACH', 'E_SSH_UNREACHABLE'],
    ['EHOSTUNREACH', 'E_SSH_UNREACHABLE'],
  ])('%s becomes %s with evidence and a remedy, exit 2', (code, result) => {
    const error = describeSocketFailure('box port 22', failure(code));
    expect(error).toMatchObject({ code: result, exit: 2, evidence: [`${code} it was`] });
    expect(error.message).toContain('box port 22');
    expect(error.fix.length).toBeGreaterThan(0);
    expect(TRANSIENT_CODES.has(result)).toBe(true);
  });

  it('looks into the attempts on several addresses', () => {
    const all = new AggregateError([failure('ENETUNREACH'), failure('ECONNREFUSED')]);
    expect(describeSocketFailure('box', all)).toMatchObject({
      code: 'E_SSH_REFUSED',
      evidence: ['ENETUNREACH it was', 'ECONNREFUSED it was'],
    });
  });
});

describe('lostConnection', () => {
  it('says what a keepalive timeout means', () => {
    const error = lostConnection('box', new Error('Keepalive timeout'));
    expect(error).toMatchObject({ code: 'E_SSH_LOST', exit: 1 });
    expect(error.evidence.join()).toContain('three keepalives');
  });
});
