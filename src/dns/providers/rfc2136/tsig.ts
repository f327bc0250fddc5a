import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Incoming, Signature } from './message.js';
import { encodeRecord } from './message.js';
import { typeCodes } from './record-data.js';
import { write } from './wire.js';

/** Transaction signatures (RFC 8945). */

export interface TsigKey {
  name: string;
  /** Name on the wire, such as `hmac-sha256`. */
  algorithm: string;
  secret: Buffer;
}

/** Names of section 6 and what node:crypto calls them. */
const hashes: Readonly<Record<string, string>> = {
  'hmac-md5.sig-alg.reg.int': 'md5',
  'hmac-sha1': 'sha1',
  'hmac-sha224': 'sha224',
  'hmac-sha256': 'sha256',
  'hmac-sha384': 'sha384',
  'hmac-sha512': 'sha512',
};

/** The algorithm's wire name from the spellings people use (`HMAC-SHA256.`, `hmac-md5`); undefined when unknown. */
export function readAlgorithm(text: string): string | undefined {
  const plain = text.trim().toLowerCase().replace(/\.$/, '');
  const name = plain === 'hmac-md5' ? 'hmac-md5.sig-alg.reg.int' : plain;
  return Object.hasOwn(hashes, name) ? name : undefined;
}

/** Seconds that clocks may differ (section 10). */
const fudge = 300;

const timers = (time: number, allowed: number): Buffer => {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(time, 0, 6);
  return Buffer.concat([bytes, write.u16(allowed)]);
};

const withLength = (mac: Buffer): Buffer => Buffer.concat([write.u16(mac.length), mac]);

function computeMac(key: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(hashes[key.algorithm] ?? '', key.secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

function variables(key: TsigKey, time: number, allowed: number, error: number, other: Buffer): Buffer {
  const { u16, u32, name } = write;
  return Buffer.concat([
    name(key.name),
    u16(255),
    u32(0),
    name(key.algorithm),
    timers(time, allowed),
    u16(error),
    withLength(other),
  ]);
}

/** The message with its signature appended. `time` in seconds since 1970. */
export function signMessage(message: Buffer, key: TsigKey, time: number): { signed: Buffer; mac: Buffer } {
  const none = Buffer.alloc(0);
  const mac = computeMac(key, [message, variables(key, time, fudge, 0, none)]);
  const data = Buffer.concat([
    write.name(key.algorithm),
    timers(time, fudge),
    withLength(mac),
    message.subarray(0, 2),
    write.u16(0),
    withLength(none),
  ]);
  const record = encodeRecord({ name: key.name, type: typeCodes.TSIG ?? 0, class: 255, ttl: 0, data });
  const signed = Buffer.concat([message, record]);
  signed.writeUInt16BE(signed.readUInt16BE(10) + 1, 10);
  return { signed, mac };
}

export type Verdict = { ok: true } | { ok: false; error: number; detail: string };

const errorNames: Readonly<Record<number, string>> = {
  16: 'BADSIG: the secret differs from the server’s',
  17: 'BADKEY: the server does not know this key name and algorithm',
  18: 'BADTIME: the clocks differ too much',
  22: 'BADTRUNC: the signature is too short',
};

/**
 * Checks the answers to one signed request, in order. Of a transfer in several messages the first and the last must be
 * signed, others at least every hundredth (section 5.3.1).
 */
export class TsigVerifier {
  private readonly key: TsigKey;
  private readonly now: () => number;
  private previous: Buffer;
  private first = true;
  private pending: Buffer[] = [];

  constructor(key: TsigKey, requestMac: Buffer, now: () => number) {
    this.key = key;
    this.previous = requestMac;
    this.now = now;
  }

  /** Messages since the last signature: zero when all that came is proven. */
  get unsigned(): number {
    return this.pending.length;
  }

  check(bytes: Buffer, { signature, rcode }: Incoming): Verdict {
    if (!signature) {
      this.pending.push(bytes);
      if (this.first || this.pending.length > 99)
        return { ok: false, error: 0, detail: `unsigned answer (rcode ${rcode})` };
      return { ok: true };
    }
    const reported = errorNames[signature.error];
    // The server could not check our request, so it cannot sign its answer either (section 5.3.2).
    if (signature.mac.length === 0) {
      return { ok: false, error: signature.error, detail: reported ?? `TSIG error ${signature.error}` };
    }
    if (!this.matches(bytes, signature))
      return { ok: false, error: 16, detail: 'the signature of the answer is wrong' };
    this.first = false;
    this.pending = [];
    this.previous = signature.mac;
    if (signature.error !== 0) {
      return { ok: false, error: signature.error, detail: reported ?? `TSIG error ${signature.error}` };
    }
    if (Math.abs(this.now() - signature.timeSigned) > signature.fudge) {
      return { ok: false, error: 18, detail: errorNames[18] ?? '' };
    }
    return { ok: true };
  }

  private matches(bytes: Buffer, signature: Signature): boolean {
    const { key } = this;
    if (signature.keyName !== key.name || signature.algorithm !== key.algorithm) return false;
    const message = Buffer.from(bytes.subarray(0, signature.offset));
    message.writeUInt16BE(signature.originalId, 0);
    message.writeUInt16BE(message.readUInt16BE(10) - 1, 10);
    const { timeSigned, fudge: allowed, error, other } = signature;
    const tail = this.first ? variables(key, timeSigned, allowed, error, other) : timers(timeSigned, allowed);
    const wanted = computeMac(key, [withLength(this.previous), ...this.pending, message, tail]);
    return wanted.length === signature.mac.length && timingSafeEqual(wanted, signature.mac);
  }
}
