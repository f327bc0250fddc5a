import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { toAnswer } from '../../../../src/dns/resolver/answer.js';
import { decodeReply } from '../../../../src/dns/resolver/decode.js';
import { query } from '../../../../src/dns/resolver/index.js';
import { type DnsServer, type ServerOptions, startDnsServer } from '../../../helpers/dns-server.js';

const running: DnsServer[] = [];
async function serve(options: ServerOptions): Promise<DnsServer> {
  const server = await startDnsServer(options);
  running.push(server);
  return server;
}
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

const zone = {
  'example.org': [
    'example.org SOA ns1.example.org hostmaster.example.org 7 600',
    'example.org NS ns1.example.org',
    'example.org MX 10 Mail.Example.ORG',
    'example.org TXT "v=spf1 a:" "mail.example.org -all"',
    'mail.example.org A 198.51.100.25',
    'mail.example.org AAAA 2001:db8::25',
    '_25._tcp.mail.example.org TLSA 3 1 1 00ff',
    'example.org CAA 0 issue "letsencrypt.org"',
    'example.org DS 12345 13 2 abcd',
    '_imaps._tcp.example.org SRV 0 1 993 mail.example.org',
  ],
};
const ask = (server: DnsServer, name: string, type: Parameters<typeof query>[2]) =>
  query(server, name, type, { timeoutMs: 300, attempts: 1 });

describe('decodeReply', () => {
  const question = { id: 7, name: 'mail.example.org', type: 'A' } as const;
  const message = () =>
    dnsPacket.encode({
      type: 'response',
      id: 7,
      flags: dnsPacket.AUTHORITATIVE_ANSWER,
      questions: [{ type: 'A', name: 'mail.example.org', class: 'IN' }],
      answers: [
        { type: 'CNAME', name: 'mail.example.org', ttl: 60, data: 'host.example.org' },
        { type: 'A', name: 'host.example.org', ttl: 60, data: '198.51.100.25' },
        { type: 'TXT', name: 'host.example.org', ttl: 60, data: ['abc', 'def'] },
      ],
    });
  it('ends on any bytes, and takes no answer to another question', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const reply = decodeReply(Buffer.from(bytes), question);
        if (typeof reply === 'object') expect(bytes[0] === 0 && bytes[1] === 7).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });
  it('ends on any damage to a true reply', () => {
    const original = message();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(original.length),
        (changes, length) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of changes) bytes[at] = value;
          const reply = decodeReply(bytes.subarray(0, length), question);
          if (typeof reply === 'object') {
            const answer = toAnswer('mail.example.org', 'A', reply, { via: 'x', level: 'authoritative' });
            expect(answer.records.every(({ data }) => data.type === 'A')).toBe(true);
          }
        },
      ),
      { numRuns: 10_000 },
    );
  });
});

describe('query', () => {
  it('decodes every type into canonical fields', async () => {
    const server = await serve({ zones: zone });
    const data = async (name: string, type: Parameters<typeof query>[2]) => {
      const reply = await ask(server, name, type);
      return reply.ok ? reply.answers.map((record) => record.data) : reply;
    };
    expect(await data('example.org', 'MX')).toEqual([
      { type: 'MX', preference: 10, exchange: 'mail.example.org' },
    ]);
    expect(await data('example.org', 'TXT')).toEqual([
      { type: 'TXT', text: 'v=spf1 a:mail.example.org -all' },
    ]);
    expect(await data('mail.example.org', 'AAAA')).toEqual([{ type: 'AAAA', address: '2001:db8::25' }]);
    expect(await data('_25._tcp.mail.example.org', 'TLSA')).toEqual([
      { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: '00ff' },
    ]);
    expect(await data('example.org', 'CAA')).toEqual([
      { type: 'CAA', flags: 0, tag: 'issue', value: 'letsencrypt.org' },
    ]);
    expect(await data('example.org', 'DS')).toEqual([
      { type: 'DS', keyTag: 12345, algorithm: 13, digestType: 2, digest: 'abcd' },
    ]);
    expect(await data('_imaps._tcp.example.org', 'SRV')).toEqual([
      { type: 'SRV', priority: 0, weight: 1, port: 993, target: 'mail.example.org' },
    ]);
  });

  it('exposes AA and the authority section of a negative answer', async () => {
    const server = await serve({ zones: zone });
    const reply = await ask(server, 'nothing.example.org', 'A');
    expect(reply).toMatchObject({
      ok: true,
      rcode: 3,
      authoritative: true,
      authority: [{ name: 'example.org', data: { type: 'SOA', serial: 7, minimum: 600 } }],
    });
  });

  it('repeats a truncated question over TCP', async () => {
    const server = await serve({ zones: zone, intercept: () => 'truncate' });
    const reply = await ask(server, 'mail.example.org', 'A');
    expect(reply).toMatchObject({ ok: true, transport: 'tcp', answers: [{ name: 'mail.example.org' }] });
  });

  it('asks again without EDNS where it is unknown', async () => {
    let asked = 0;
    const server = await serve({
      zones: zone,
      intercept: () => (++asked === 1 ? 1 : undefined),
      mangle: (reply) => {
        if (asked > 1) return reply;
        const bare = Buffer.from(reply.subarray(0, reply.length - 11));
        bare.writeUInt16BE(0, 10);
        return bare;
      },
    });
    const reply = await ask(server, 'mail.example.org', 'A');
    expect(reply).toMatchObject({ ok: true, rcode: 0, answers: [{ name: 'mail.example.org' }] });
    expect(asked).toBe(2);
  });

  it('ignores replies with another id or question and takes the true one after them', async () => {
    const forge = (reply: Buffer, change: (bytes: Buffer) => void) => {
      const bytes = Buffer.from(reply);
      change(bytes);
      return bytes;
    };
    const server = await serve({
      zones: zone,
      mangle: (reply) => [
        forge(reply, (bytes) => bytes.writeUInt16BE(bytes.readUInt16BE(0) ^ 1, 0)),
        forge(reply, (bytes) => bytes.write('x', 13)),
        forge(reply, (bytes) => bytes.writeUInt16BE(bytes.readUInt16BE(2) & 0x7fff, 2)),
        Buffer.from('short'),
        reply,
      ],
    });
    const reply = await ask(server, 'mail.example.org', 'A');
    expect(reply).toMatchObject({ ok: true, answers: [{ data: { address: '198.51.100.25' } }] });
  });

  it('calls a reply that cannot be decoded malformed, never empty', async () => {
    const server = await serve({ zones: zone, mangle: (reply) => reply.subarray(0, reply.length - 14) });
    expect(await ask(server, 'mail.example.org', 'A')).toMatchObject({ ok: false, reason: 'malformed' });
  });

  it('tries TCP beside the last datagram, where no datagram gets through', async () => {
    const server = await serve({ zones: zone, intercept: ({ tcp }) => (tcp ? undefined : 'drop') });
    const reply = await query(server, 'mail.example.org', 'A', { timeoutMs: 1000, attempts: 2 });
    expect(reply).toMatchObject({ ok: true, transport: 'tcp', answers: [{ name: 'mail.example.org' }] });
    // Whoever asks for UDP gets what UDP says.
    const plain = await query(server, 'mail.example.org', 'A', { transport: 'udp', timeoutMs: 50 });
    expect(plain).toMatchObject({ ok: false, reason: 'timeout' });
  });

  it('calls silence a timeout and a closed port unreachable', async () => {
    const silent = await serve({ zones: zone, intercept: () => 'drop' });
    expect(await ask(silent, 'mail.example.org', 'A')).toMatchObject({ ok: false, reason: 'timeout' });
    const gone = await startDnsServer({ zones: zone });
    await gone.close();
    expect(await ask(gone, 'mail.example.org', 'A')).toMatchObject({ ok: false, reason: 'unreachable' });
  });

  it('rejects with the reason of the signal, before and during the wait', async () => {
    const silent = await serve({ zones: zone, intercept: () => 'drop' });
    const controller = new AbortController();
    const waiting = query(silent, 'mail.example.org', 'A', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(query(silent, 'a.example.org', 'A', { signal: controller.signal })).rejects.toThrow(
      'enough',
    );
  });
});
