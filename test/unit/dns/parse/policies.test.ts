import { describe, expect, it } from 'vitest';
import { caaAllows, parseCaaIssuer } from '../../../../src/dns/parse/caa.js';
import { parseStsPolicy, parseStsRecord, stsMatches } from '../../../../src/dns/parse/mta-sts.js';
import { parseTlsRpt } from '../../../../src/dns/parse/tls-rpt.js';

describe('parseStsRecord (RFC 8461 3.1)', () => {
  it.each([
    ['v=STSv1; id=20160831085700Z;', '20160831085700Z'],
    ['v=STSv1;id=a', 'a'],
    ['v=STSv1 ; id=abc ; x-y=1', 'abc'],
  ])('%s', (text, id) => {
    expect(parseStsRecord(text)).toEqual({ ok: true, id });
  });
  it.each([
    ['v=STSv2; id=a', 'does not begin with'],
    ['v=stsv1; id=a', 'does not begin with'],
    ['v=STSv1', 'has no id='],
    ['v=STSv1; id=', 'not 1 to 32'],
    ['v=STSv1; id=2026-11-24', 'not 1 to 32'],
    [`v=STSv1; id=${'a'.repeat(33)}`, 'not 1 to 32'],
    ['v=STSv1; id=a; id=b', 'two id='],
    ['v=STSv1; id=a; nonsense; x=1', 'is not a field'],
  ])('%s: %s', (text, problem) => {
    expect(parseStsRecord(text)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });
});

describe('parseStsPolicy (RFC 8461 3.2)', () => {
  it('reads a policy, CRLF or LF, unknown keys ignored, first of repeated keys', () => {
    const text =
      'version: STSv1\r\nmode: enforce\r\nmode: none\nmx: Mail.example.org\nmx:*.example.net\nfoo: bar\nmax_age: 604800\n';
    expect(parseStsPolicy(text)).toEqual({
      ok: true,
      policy: { mode: 'enforce', mx: ['mail.example.org', '*.example.net'], maxAge: 604800 },
    });
    expect(parseStsPolicy('version: STSv1\nmode: none\nmax_age: 0')).toMatchObject({ ok: true });
  });
  it.each([
    ['mode: enforce\nmx: a.b\nmax_age: 1', 'version is not STSv1'],
    ['version: STSv1\nmx: a.b\nmax_age: 1', 'mode is missing'],
    ['version: STSv1\nmode: strict\nmx: a.b\nmax_age: 1', 'mode "strict"'],
    ['version: STSv1\nmode: enforce\nmx: a.b', 'max_age is missing'],
    ['version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 1w', 'max_age is missing or not'],
    ['version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 31557601', 'more than 31557600'],
    ['version: STSv1\nmode: enforce\nmax_age: 1', 'no mx is listed'],
    ['version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1', 'mx "a.*.b"'],
    ['<html>', 'is not "key: value"'],
  ])('%#: %s', (text, problem) => {
    const parsed = parseStsPolicy(text);
    expect(parsed.ok ? [] : parsed.problems.join('\n')).toContain(problem);
  });
  it.each([
    ['mail.example.org', 'mail.example.org', true],
    ['*.example.org', 'mail.example.org', true],
    ['*.example.org', 'a.b.example.org', false],
    ['*.example.org', 'example.org', false],
    ['example.org', 'mail.example.org', false],
  ])('%s covers %s: %s (4.1)', (pattern, host, expected) => {
    expect(stsMatches(pattern, host)).toBe(expected);
  });
});

describe('parseTlsRpt (RFC 8460 3)', () => {
  it('reads mailto and https', () => {
    expect(parseTlsRpt('v=TLSRPTv1; rua=mailto:tls@example.org,https://r.example.net/v1')).toMatchObject({
      rua: [{ domain: 'example.org' }, { domain: 'r.example.net' }],
      problems: [],
    });
  });
  it('is no record without its version', () => {
    expect(parseTlsRpt('v=TLSRPTv2; rua=mailto:a@b.example')).toBeUndefined();
    expect(parseTlsRpt('rua=mailto:a@b.example')).toBeUndefined();
  });
  it.each([
    ['v=TLSRPTv1', 'rua= is missing'],
    ['v=TLSRPTv1; rua=', 'no usable destination'],
    ['v=TLSRPTv1; rua=tls@example.org', 'lacks mailto:'],
    ['v=TLSRPTv1; rua=http://example.org/', 'http: is not mailto: or https:'],
  ])('%s: %s', (text, problem) => {
    expect(parseTlsRpt(text)?.problems.join('\n')).toContain(problem);
  });
});

describe('caaAllows (RFC 8659 4)', () => {
  const issue = (value: string, flags = 0, tag = 'issue') => ({ flags, tag, value });
  it.each([
    ['nothing about issuing', [issue('mailto:a@b.example', 0, 'iodef')], true],
    ['our CA', [issue('letsencrypt.org')], true],
    ['our CA, upper case, with parameters', [issue('LetsEncrypt.org; validationmethods=http-01')], true],
    ['our CA beside another', [issue('other.example'), issue('letsencrypt.org')], true],
    ['another CA', [issue('other.example')], false],
    ['nobody', [issue(';')], false],
    ['only wildcards', [issue('letsencrypt.org', 0, 'issuewild')], true],
    ['an unknown critical tag', [issue('letsencrypt.org'), issue('x', 128, 'future')], false],
    ['an unknown tag that is not critical', [issue('letsencrypt.org'), issue('x', 0, 'future')], true],
    ['a value that cannot be read', [issue('lets encrypt')], false],
    ['bad parameters', [issue('letsencrypt.org; nonsense')], false],
  ])('%s: %s', (_, records, allowed) => {
    expect(caaAllows(records, 'letsencrypt.org').allowed).toBe(allowed);
  });
  it('names the account that alone may order (RFC 8657)', () => {
    const verdict = caaAllows(
      [issue('letsencrypt.org; accounturi=https://acme.example/acct/1')],
      'letsencrypt.org',
    );
    expect(verdict).toEqual({ allowed: true, reasons: ['only for the account https://acme.example/acct/1'] });
    expect(parseCaaIssuer('ca.example;a=b; c = d')).toMatchObject({ issuer: 'ca.example' });
  });
});
