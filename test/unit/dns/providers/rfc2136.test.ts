import { createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { DnsFailure, UpdateClient } from '../../../../src/dns/providers/rfc2136/client.js';
import { decodeMessage, encodeMessage, encodeRecord } from '../../../../src/dns/providers/rfc2136/message.js';
import { decodeData, encodeData, typeCodes } from '../../../../src/dns/providers/rfc2136/record-data.js';
import { readAlgorithm, signMessage, TsigVerifier } from '../../../../src/dns/providers/rfc2136/tsig.js';
import { encodeName, MalformedMessage, WireReader } from '../../../../src/dns/providers/rfc2136/wire.js';
import { rfc2136 } from '../../../../src/dns/providers/rfc2136.js';
import type { RecordData } from '../../../../src/dns/record.js';

const key = { name: 'client', algorithm: 'hmac-sha256', secret: Buffer.from('secret of the test') };
const now = 1_795_000_000;
const question = { name: 'example.test', type: typeCodes.SOA ?? 0 };

describe('names and data on the wire', () => {
  it.each<RecordData>([
    { type: 'A', address: '198.51.100.1' },
    { type: 'AAAA', address: '2001:db8::1' },
    { type: 'MX', preference: 10, exchange: 'mail.example.test' },
    { type: 'MX', preference: 0, exchange: '' },
    { type: 'TXT', text: `v=DKIM1; p=${'A'.repeat(400)}` },
    { type: 'TXT', text: 'grüße "und" \\' },
    { type: 'SRV', priority: 1, weight: 2, port: 993, target: 'mail.example.test' },
    { type: 'CAA', flags: 128, tag: 'issue', value: 'ca.example; x=y' },
    { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'ab'.repeat(32) },
    { type: 'CNAME', target: 'a.b.example.test' },
  ])('$type comes back as it went', (data) => {
    const raw = encodeData(data);
    const read = decodeData(typeCodes[data.type as 'A'] ?? 0, new WireReader(raw), raw.length);
    expect(read).toEqual({ data, raw });
  });

  it('keeps data of unknown types as RFC 3597 writes it', () => {
    const bytes = Buffer.from('00ff', 'hex');
    expect(decodeData(4711, new WireReader(bytes), 2).data).toEqual({
      type: 'OTHER',
      rrtype: 'TYPE4711',
      text: '\\# 2 00ff',
    });
  });

  it.each(['a'.repeat(64), Array(64).fill('abcd').join('.')])('refuses a name that does not fit', (name) => {
    expect(() => encodeName(name)).toThrow(RangeError);
  });

  it.each([
    ['a pointer to itself', 'c000'],
    ['a pointer forward', 'c010'],
    ['a label that ends too late', '05616263'],
    ['a label of an unknown kind', '8061'],
  ])('refuses %s', (_what, hex) => {
    expect(() => new WireReader(Buffer.from(hex, 'hex')).name()).toThrow(MalformedMessage);
  });

  it('throws nothing but MalformedMessage for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 200 }), (bytes) => {
        // Small counts, so that records are really read.
        const message = Buffer.from(bytes);
        for (const at of [4, 6, 8, 10]) message.writeUInt16BE(message.readUInt16BE(at) & 3, at);
        try {
          decodeMessage(message);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage);
        }
      }),
    );
  });
});

describe('transaction signatures', () => {
  it.each([
    ['HMAC-SHA256.', 'hmac-sha256'],
    ['hmac-md5', 'hmac-md5.sig-alg.reg.int'],
    ['hmac-md5.sig-alg.reg.int.', 'hmac-md5.sig-alg.reg.int'],
    ['hmac-sha3', undefined],
    ['constructor', undefined],
  ])('reads %s as %s', (text, wire) => {
    expect(readAlgorithm(text)).toBe(wire);
  });

  it('refuses an answer whose signature does not cover the request', () => {
    const { mac } = signMessage(encodeMessage({ id: 7, flags: 0, question }), key, now);
    // Signed as a request is: the MAC of an answer also covers the request's (section 5.3).
    const { signed } = signMessage(encodeMessage({ id: 7, flags: 0x8400, question }), key, now);
    expect(new TsigVerifier(key, mac, () => now).check(signed, decodeMessage(signed))).toEqual({
      ok: false,
      error: 16,
      detail: 'the signature of the answer is wrong',
    });
  });

  it('refuses an unsigned first answer', () => {
    const plain = encodeMessage({ id: 7, flags: 0x8400, question });
    const verdict = new TsigVerifier(key, Buffer.alloc(32), () => now).check(plain, decodeMessage(plain));
    expect(verdict).toMatchObject({ ok: false });
  });

  it('names what the server found wrong with ours', () => {
    const rdata = Buffer.concat([
      encodeName(key.algorithm),
      Buffer.alloc(6),
      Buffer.from([1, 44, 0, 0, 0, 7, 0, 17, 0, 0]),
    ]);
    const record = encodeRecord({ name: key.name, type: 250, class: 255, ttl: 0, data: rdata });
    const bytes = Buffer.concat([encodeMessage({ id: 7, flags: 0x8409, question }), record]);
    bytes.writeUInt16BE(1, 10);
    expect(
      new TsigVerifier(key, Buffer.alloc(32), () => now).check(bytes, decodeMessage(bytes)),
    ).toMatchObject({
      ok: false,
      error: 17,
      detail: expect.stringMatching(/^BADKEY/),
    });
  });
});

describe('the client', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
    server = undefined;
  });
  const context = {
    credentials: {},
    fetch,
    signal: new AbortController().signal,
    log: () => undefined,
  };
  /** A server that answers each request with these bytes. */
  const open = async (answer: (request: Buffer) => Buffer | undefined): Promise<UpdateClient> => {
    server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (chunk) => {
        const bytes = answer(chunk.subarray(2));
        if (!bytes) return socket.destroy();
        const length = Buffer.alloc(2);
        length.writeUInt16BE(bytes.length);
        return socket.end(Buffer.concat([length, bytes]));
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    return new UpdateClient({ host: '127.0.0.1', port, key }, context, () => now);
  };

  it('takes nothing for an answer that is not signed', async () => {
    const client = await open((request) => {
      const answer = encodeMessage({ id: request.readUInt16BE(0), flags: 0xa800, question });
      return answer;
    });
    await expect(client.update('example.test', [], [])).rejects.toMatchObject({ kind: 'token' });
  });

  it('believes an unsigned refusal of a question, but not of an update', async () => {
    const refuse = (request: Buffer) =>
      encodeMessage({ id: request.readUInt16BE(0), flags: 0x8005, question });
    expect((await (await open(refuse)).query('example.test', 'SOA')).rcode).toBe(5);
    server?.close();
    await expect((await open(refuse)).update('example.test', [], [])).rejects.toMatchObject({
      kind: 'token',
    });
  });

  it.each([
    ['a cut connection', () => undefined],
    ['an answer to another question', () => encodeMessage({ id: 1, flags: 0x0000, question })],
    ['garbage', () => Buffer.from('garbage')],
  ])('tries again after %s', async (_what, answer) => {
    const client = await open(answer);
    await expect(client.query('example.test', 'SOA')).rejects.toSatisfy(
      (error) => error instanceof DnsFailure && error.kind === 'transient',
    );
  });
});

describe('the settings for dynamic updates', () => {
  const secret = Buffer.from('long enough').toString('base64');
  const good = { server: 'ns1.example.test', keyName: 'client.', secret };
  const open = (credentials: Readonly<Record<string, string>>) =>
    rfc2136.open({
      credentials: { ...good, ...credentials },
      fetch,
      signal: new AbortController().signal,
      log: () => undefined,
    });

  it.each([
    [{ server: 'https://ns1.example.test' }, /name server/],
    [{ server: 'ns1.example.test:99999' }, /name server/],
    [{ keyName: 'a b' }, /key name/],
    [{ secret: 'not base64!' }, /base64/],
    [{ algorithm: 'rot13' }, /algorithm/],
  ])('refuses %j before anything is sent', async (credentials, said) => {
    await expect(open(credentials)).rejects.toMatchObject({
      code: 'E_DNS_ENDPOINT',
      exit: 2,
      evidence: [expect.stringMatching(said)],
    });
  });

  it.each(['ns1.example.test:5353', '[2001:db8::53]:53', '2001:db8::53', '198.51.100.53'])(
    'takes %s as a server',
    async (server) => {
      await expect(open({ server })).resolves.toBeDefined();
    },
  );

  it('shows no secret in the error', async () => {
    const error = await open({ algorithm: 'rot13' }).catch((caught: unknown) => caught);
    expect(JSON.stringify(error)).not.toContain(secret);
  });
});
