import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DnsTarget } from '../../../../src/checks/dns/context.js';
import { tlsaMatches } from '../../../../src/checks/dns/dane.js';
import type { SmtpLook, SmtpProbe } from '../../../../src/checks/dns/smtp-probe.js';
import { runDnsChecks } from '../../../../src/checks/run.js';
import { openDnsLab } from '../../../helpers/dns-lab.js';
import { createTestCa } from '../../../helpers/test-ca.js';

const day = 86_400_000;
const now = Date.UTC(2026, 10, 24);
let der: Uint8Array;
let keyDigest: string;
let authority: ReturnType<typeof createTestCa>;

beforeAll(() => {
  authority = createTestCa();
  const certificate = new X509Certificate(authority.issue('mail.example.org').cert);
  der = certificate.raw;
  keyDigest = createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
});
afterAll(() => authority.close());

const look = (more: Partial<Extract<SmtpLook, { ok: true }>> = {}): SmtpLook => ({
  ok: true,
  tls: true,
  version: 'TLSv1.3',
  chain: [der],
  validFrom: now - 30 * day,
  validTo: now + 60 * day,
  ...more,
});
const target: DnsTarget = {
  domain: 'example.org',
  host: 'mail.example.org',
  addresses: ['198.51.100.25'],
  mail: 'full',
  expected: [],
  selectors: [],
};

async function said(
  id: string,
  answer: () => SmtpLook,
  records: readonly string[] = [],
  privateNetwork = true,
) {
  const asked: string[] = [];
  const probe: SmtpProbe = async ({ address, port }) => {
    asked.push(`${address} ${port}`);
    return answer();
  };
  const { deps } = openDnsLab({
    records: ['example.org MX 10 mail.example.org', 'mail.example.org A 198.51.100.25', ...records],
    privateNetwork,
    deps: { probe },
  });
  const report = await runDnsChecks({ targets: [target], resolver: 'test', only: [id] }, deps);
  return { asked, verdicts: report.results.map(({ status, message }) => `${status} ${message}`) };
}

describe('TLS checks', () => {
  it.each<[string, () => SmtpLook, string]>([
    ['TLS-STARTTLS', () => look(), 'pass TLS is offered.'],
    ['TLS-STARTTLS', () => look({ tls: false }), 'fail TLS is not offered'],
    [
      'TLS-STARTTLS',
      () => ({ ok: false, reason: 'silent', detail: 'd' }),
      'unknown The port cannot be reached',
    ],
    ['TLS-STARTTLS', () => ({ ok: false, reason: 'refused', detail: 'd' }), 'fail Nobody listens'],
    ['TLS-STARTTLS', () => ({ ok: false, reason: 'broken', detail: 'd' }), 'fail The conversation broke off'],
    ['TLS-CERT', () => look(), 'pass Valid for 60 more days.'],
    ['TLS-CERT', () => look({ validTo: now - day }), 'fail The certificate has expired.'],
    [
      'TLS-CERT',
      () => look({ validTo: now + 5 * day, validFrom: now - 85 * day }),
      'warn The certificate ends in 5 days',
    ],
    [
      'TLS-CERT',
      () => look({ validTo: now + 5 * day, validFrom: now - 2 * day }),
      'pass Valid for 5 more days.',
    ],
    ['TLS-CERT', () => look({ untrusted: 'self-signed' }), 'warn The certificate is not trusted'],
    ['TLS-VER', () => look(), 'pass TLSv1.3.'],
    ['TLS-VER', () => look({ version: 'TLSv1.1' }), 'warn TLSv1.1 is outdated.'],
    ['TLS-VER', () => look({ version: 'TLSv1.2', cipher: 'ECDHE-RSA-AES256-GCM-SHA384' }), 'pass TLSv1.2.'],
    [
      'TLS-VER',
      () => look({ version: 'TLSv1.2', cipher: 'AES256-GCM-SHA384' }),
      'warn The cipher suite AES256-GCM-SHA384 has no forward secrecy.',
    ],
    [
      'TLS-VER',
      () => look({ version: 'TLSv1.2', cipher: 'ECDHE-RSA-DES-CBC3-SHA' }),
      'warn The cipher suite ECDHE-RSA-DES-CBC3-SHA is broken.',
    ],
    [
      'TLS-VER',
      () => look({ version: 'TLSv1.2', cipher: 'DHE-RSA-AES256-GCM-SHA384', dhBits: 1024 }),
      'warn The Diffie-Hellman exchange has only 1024 bits.',
    ],
  ])('%s %#', async (id, answer, expected) => {
    const { asked, verdicts } = await said(id, answer);
    expect(asked).toEqual(['198.51.100.25 25', '198.51.100.25 465', '198.51.100.25 587']);
    expect(verdicts[0]).toContain(expected);
  });
  it('connect to no private address (A7)', async () => {
    expect(await said('TLS-STARTTLS', () => look(), [], false)).toEqual({ asked: [], verdicts: [] });
  });
});

describe('DANE-MATCH', () => {
  const tlsa = (data: string) => [`_25._tcp.mail.example.org TLSA 3 1 1 ${data}`];
  it('passes when the served key is published', async () => {
    expect((await said('DANE-MATCH', () => look(), tlsa(keyDigest))).verdicts).toEqual([
      'pass The served key is published.',
    ]);
  });
  it('fails when it is not, with the record to publish', async () => {
    expect((await said('DANE-MATCH', () => look(), tlsa('00'.repeat(32)))).verdicts[0]).toContain(
      'fail No TLSA record fits',
    );
  });
  it('is unknown when the port is silent', async () => {
    expect(
      (await said('DANE-MATCH', () => ({ ok: false, reason: 'silent', detail: 'd' }), tlsa(keyDigest)))
        .verdicts[0],
    ).toContain('unknown The served certificate');
  });
  it('compares whole certificates, keys, hashes and full data; usages 0 and 1 never match mail', () => {
    const sha = (hash: string) => createHash(hash).update(der).digest('hex');
    const match = (usage: number, selector: number, matchingType: number, data: string) =>
      tlsaMatches({ usage, selector, matchingType, data }, [new Uint8Array(der)]);
    expect(match(3, 0, 1, sha('sha256'))).toBe(true);
    expect(match(3, 0, 2, sha('sha512').toUpperCase())).toBe(true);
    expect(match(2, 0, 0, Buffer.from(der).toString('hex'))).toBe(true);
    expect(match(1, 1, 1, keyDigest)).toBe(false);
    expect(match(3, 1, 9, keyDigest)).toBe(false);
  });
});
