import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDkimKey } from '../../../../src/dns/dkim-key.js';
import { effectivePolicy, parseDmarc } from '../../../../src/dns/dmarc.js';
import { caaAllows } from '../../../../src/dns/parse/caa.js';
import { parseStsPolicy, parseStsRecord } from '../../../../src/dns/parse/mta-sts.js';
import { parseTlsRpt } from '../../../../src/dns/parse/tls-rpt.js';

const runs = { numRuns: 10_000 };
const anything = fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 80 }));
const soup = (words: readonly string[]) =>
  fc
    .array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 6 })), { maxLength: 24 })
    .map((parts) => parts.join(''));
const dmarc = soup([
  'v=DMARC1',
  'v=DMARC1; ',
  ';',
  '=',
  'p=',
  'reject',
  'none',
  'sp=',
  'np=',
  'rua=mailto:a@b.example',
  ' ',
  ',',
  't=y',
  'psd=y',
  '!10m',
  'fo=1:d',
]);
const dkim = soup([
  'v=DKIM1',
  ';',
  '; ',
  'k=rsa',
  'k=ed25519',
  'p=',
  'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A',
  'AAAA',
  '==',
  '"',
  '\\',
  't=s:y',
  'h=sha256',
]);
const sts = soup([
  'v=STSv1',
  ';',
  '; id=',
  'abc',
  'version: STSv1\n',
  'mode: enforce\n',
  'mode: ',
  'mx: ',
  '*.',
  'example.org',
  '\n',
  'max_age: 86400\n',
  ':',
]);

describe('no parser crashes, hangs, or passes what it should not', () => {
  it('DMARC: a policy takes effect only where it is written out', () => {
    fc.assert(
      fc.property(fc.oneof(dmarc, anything), (text) => {
        const record = parseDmarc(text);
        if (!record) return;
        if (effectivePolicy(record) !== 'none')
          expect(text).toMatch(/p[ \t\r\n]*=[ \t\r\n]*(?:reject|quarantine)/i);
        expect(text.startsWith('v') || text.startsWith('V')).toBe(true);
      }),
      runs,
    );
  });
  it('DKIM: usable keys are keys', () => {
    fc.assert(
      fc.property(fc.oneof(dkim, anything), (text) => {
        const key = parseDkimKey(text);
        if (!key.usable) return;
        expect(key.problems.filter((problem) => problem.kind !== 'encoding')).toEqual([]);
        createPublicKey({ key: Buffer.from(key.spki ?? '', 'base64'), format: 'der', type: 'spki' });
      }),
      runs,
    );
  });
  it('MTA-STS: accepted records and policies hold what they must', () => {
    fc.assert(
      fc.property(fc.oneof(sts, anything), (text) => {
        const record = parseStsRecord(text);
        if (record.ok) expect(text).toMatch(/^v=STSv1/);
        const parsed = parseStsPolicy(text);
        if (!parsed.ok) return;
        expect(text).toContain('STSv1');
        expect(parsed.policy.mode === 'none' || parsed.policy.mx.length > 0).toBe(true);
      }),
      runs,
    );
  });
  it('TLS-RPT: a destination is usable or reported', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          soup(['v=TLSRPTv1', ';', 'rua=', 'mailto:', 'a@b.example', ',', 'https://x.example/']),
          anything,
        ),
        (text) => {
          const record = parseTlsRpt(text);
          if (record && record.problems.length === 0) expect(record.rua.length).toBeGreaterThan(0);
        },
      ),
      runs,
    );
  });
  it('CAA: nobody is allowed by a set that does not name him', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(soup(['letsencrypt.org', ';', ' ', 'accounturi=', 'ca.example']), anything), {
          minLength: 1,
          maxLength: 4,
        }),
        (values) => {
          const verdict = caaAllows(
            values.map((value) => ({ flags: 0, tag: 'issue', value })),
            'letsencrypt.org',
          );
          if (verdict.allowed)
            expect(values.some((value) => /^\s*letsencrypt\.org\s*(?:;|$)/i.test(value))).toBe(true);
        },
      ),
      runs,
    );
  });
});
