import { createHash, createPublicKey, verify } from 'node:crypto';

export interface DkimResult {
  result: 'pass' | 'fail' | 'none' | 'permerror' | 'temperror';
  domain?: string;
  selector?: string;
  detail: string;
}

/** Finds the DKIM key record: its TXT strings joined, `undefined` when absent, or throws when DNS did not answer. */
export type KeyLookup = (name: string) => Promise<string | undefined>;

/**
 * Verifies each DKIM-Signature of a message (RFC 6376, rsa-sha256 and RFC 8463 ed25519-sha256), the way a receiver
 * would. Independent of the signer on the server: the proof that DMARC waits for.
 */
export async function verifyDkim(message: string, lookup: KeyLookup): Promise<DkimResult[]> {
  const { headers, body } = splitMessage(message);
  const signatures = headers.filter((header) => header.name === 'dkim-signature');
  if (signatures.length === 0) return [{ result: 'none', detail: 'the message has no DKIM-Signature' }];
  const results: DkimResult[] = [];
  for (const signature of signatures) results.push(await verifyOne(signature, headers, body, lookup));
  return results;
}

interface Header {
  name: string;
  raw: string;
}

function splitMessage(message: string): { headers: Header[]; body: string } {
  const text = message.replace(/\r?\n/g, '\r\n');
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const headers = head.split(/\r\n(?![ \t])/).map((raw) => ({
    name: raw
      .slice(0, Math.max(0, raw.indexOf(':')))
      .trim()
      .toLowerCase(),
    raw,
  }));
  return { headers, body: end < 0 ? '' : text.slice(end + 4) };
}

/** Tag list of RFC 6376 section 3.2; undefined when malformed or a tag is repeated. */
function parseTags(text: string): Map<string, string> | undefined {
  const tags = new Map<string, string>();
  for (const part of text.split(';')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    if (equals < 0) return undefined;
    const name = part.slice(0, equals).trim();
    if (tags.has(name)) return undefined;
    tags.set(name, part.slice(equals + 1).trim());
  }
  return tags;
}

async function verifyOne(
  signature: Header,
  headers: readonly Header[],
  body: string,
  lookup: KeyLookup,
): Promise<DkimResult> {
  const tags = parseTags(signature.raw.slice(signature.raw.indexOf(':') + 1).replace(/\r\n/g, ''));
  const [domain, selector, algorithm] = [tags?.get('d'), tags?.get('s'), tags?.get('a')];
  const bodyHash = tags?.get('bh')?.replace(/\s/g, '');
  const value = tags?.get('b')?.replace(/\s/g, '');
  if (!tags || !domain || !selector || !bodyHash || !value || tags.get('v') !== '1') {
    return { result: 'permerror', detail: 'the DKIM-Signature is malformed' };
  }
  const identity = { domain: domain.toLowerCase(), selector };
  if (algorithm !== 'rsa-sha256' && algorithm !== 'ed25519-sha256') {
    return { result: 'permerror', ...identity, detail: `unsupported algorithm ${algorithm}` };
  }
  const names = (tags.get('h') ?? '').split(':').map((name) => name.trim().toLowerCase());
  if (!names.includes('from')) return { result: 'permerror', ...identity, detail: 'From is not signed' };

  const [headerMode = 'simple', bodyMode = 'simple'] = (tags.get('c') ?? 'simple/simple').split('/');
  const canonicalBody = canonicalizeBody(body, bodyMode);
  const length = tags.get('l');
  const signedBody = length === undefined ? canonicalBody : canonicalBody.slice(0, Number(length));
  const actualHash = createHash('sha256').update(signedBody, 'utf8').digest('base64');
  if (actualHash !== bodyHash) return { result: 'fail', ...identity, detail: 'the body hash differs' };

  const signedHeaders = selectHeaders(names, headers).map((raw) => canonicalizeHeader(raw, headerMode));
  const unsigned = signature.raw.replace(/([;:\s])b=[^;]*/, '$1b=');
  const input = `${signedHeaders.map((line) => `${line}\r\n`).join('')}${canonicalizeHeader(unsigned, headerMode)}`;

  let record: string | undefined;
  try {
    record = await lookup(`${selector}._domainkey.${domain}`);
  } catch (error) {
    return {
      result: 'temperror',
      ...identity,
      detail: error instanceof Error ? error.message : String(error),
    };
  }
  if (record === undefined) return { result: 'permerror', ...identity, detail: 'there is no key in DNS' };
  const key = parseTags(record)?.get('p')?.replace(/\s/g, '');
  if (!key) return { result: 'permerror', ...identity, detail: 'the key record has no key or is revoked' };
  const good = checkSignature(algorithm, key, input, value);
  return good
    ? { result: 'pass', ...identity, detail: 'the signature verifies' }
    : { result: 'fail', ...identity, detail: 'the signature does not verify' };
}

function checkSignature(algorithm: string, key: string, input: string, value: string): boolean {
  const der = Buffer.from(key, 'base64');
  const signature = Buffer.from(value, 'base64');
  try {
    if (algorithm === 'ed25519-sha256') {
      const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), der]);
      const digest = createHash('sha256').update(input, 'utf8').digest();
      return verify(null, digest, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature);
    }
    return verify(
      'sha256',
      Buffer.from(input, 'utf8'),
      createPublicKey({ key: der, format: 'der', type: 'spki' }),
      signature,
    );
  } catch {
    // A key that does not parse verifies nothing.
    return false;
  }
}

/** Each name takes the next unused instance from the bottom (RFC 6376, 5.4.2); names without one add nothing. */
function selectHeaders(names: readonly string[], headers: readonly Header[]): string[] {
  const used = new Map<string, number>();
  const selected: string[] = [];
  for (const name of names) {
    const instances = headers.filter((header) => header.name === name);
    const index = instances.length - 1 - (used.get(name) ?? 0);
    used.set(name, (used.get(name) ?? 0) + 1);
    const header = instances[index];
    if (header) selected.push(header.raw);
  }
  return selected;
}

function canonicalizeHeader(raw: string, mode: string): string {
  if (mode === 'simple') return raw;
  const colon = raw.indexOf(':');
  const value = raw
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim();
  return `${raw.slice(0, colon).trim().toLowerCase()}:${value}`;
}

function canonicalizeBody(body: string, mode: string): string {
  const lines =
    mode === 'simple'
      ? body
      : body
          .split('\r\n')
          .map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''))
          .join('\r\n');
  const trimmed = lines.replace(/(\r\n)+$/, '');
  if (trimmed === '' && mode !== 'simple') return '';
  return `${trimmed}\r\n`;
}
