import { createHash, createHmac } from 'node:crypto';
import type { RawRequest } from '../cloudflare/emulator.js';

const hash = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** The key id of a request's signature; undefined when it has none of the right form. */
export function readKeyId({ headers }: RawRequest): string | undefined {
  return /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/\d{8}\/us-east-1\/route53\/aws4_request, SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}$/.exec(
    headers.authorization ?? '',
  )?.[1];
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export function isSignedWith(request: RawRequest, secret: string): boolean {
  const { headers, method, body } = request;
  const authorization = headers.authorization ?? '';
  const [, date = ''] = /Credential=[^/]+\/(\d{8})\//.exec(authorization) ?? [];
  const [, names = ''] = /SignedHeaders=([^,]+)/.exec(authorization) ?? [];
  const [, signature] = /Signature=([0-9a-f]{64})$/.exec(authorization) ?? [];
  const signed = names.split(';');
  if (!['host', 'x-amz-date'].every((name) => signed.includes(name))) return false;
  const url = new URL(request.url, 'http://emulator');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const lines = signed.map(
    (name) =>
      `${name}:${String(headers[name] ?? '')
        .trim()
        .replace(/\s+/g, ' ')}\n`,
  );
  const canonical = [method, url.pathname, query, lines.join(''), names, hash(body)].join('\n');
  const scope = `${date}/us-east-1/route53/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n');
  const key = [date, 'us-east-1', 'route53', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, text).toString('hex') === signature;
}
