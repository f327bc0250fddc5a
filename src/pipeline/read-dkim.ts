import { createPublicKey } from 'node:crypto';
import type { RecordData } from '../dns/record.js';
import { dkimName, dkimText } from '../dns/records/dkim.js';
import { tlsaName } from '../dns/records/tlsa.js';
import { Exit, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';

/** The key records of what lies on the server, by name. A key that is no RSA key of 2048 bits or more is refused. */
export function readDkimRecords({ dkim }: Pick<Facts, 'dkim'>): Record<string, RecordData> {
  return Object.fromEntries(
    dkim.keys.map(({ domain, selector, publicKey }): [string, RecordData] => {
      requireRsa(publicKey, domain, selector);
      return [dkimName(selector, domain), { type: 'TXT', text: dkimText(publicKey) }];
    }),
  );
}

/** The TLSA record of the key in use, once a certificate was issued for it; the next key was announced before. */
export function readTlsaRecords(
  { certificate }: Pick<Facts, 'certificate'>,
  hostname: string,
): Record<string, RecordData[]> {
  const { digest, nextDigest } = certificate;
  if (digest === undefined) return {};
  const data = [digest, ...(nextDigest === undefined ? [] : [nextDigest])].map(
    (value): RecordData => ({ type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: value }),
  );
  return { [tlsaName(hostname)]: data };
}

/** What the server says is published under the user's name: it must be a key before it goes there. */
function requireRsa(publicKey: string, domain: string, selector: string): void {
  let bits: number | undefined;
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    bits = key.asymmetricKeyType === 'rsa' ? key.asymmetricKeyDetails?.modulusLength : undefined;
  } catch (cause) {
    throw badKey(domain, selector, 'it does not parse', cause);
  }
  if (bits === undefined || bits < 2048) throw badKey(domain, selector, `RSA bits: ${bits ?? 'not RSA'}`);
}

function badKey(domain: string, selector: string, why: string, cause?: unknown): SetupError {
  return new SetupError({
    code: 'E_DKIM_KEY',
    exit: Exit.failed,
    what: `The DKIM key ${selector} of ${domain} on the server is not an RSA key of at least 2048 bits; it was not published.`,
    evidence: [why],
    fix: [`Remove /var/lib/rspamd/dkim/${domain}.${selector}.* on the server and run apply again.`],
    cause,
  });
}
