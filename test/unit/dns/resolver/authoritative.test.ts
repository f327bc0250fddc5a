import { afterEach, describe, expect, it } from 'vitest';
import {
  createAuthoritativeResolver,
  createRecursiveResolver,
  query,
} from '../../../../src/dns/resolver/index.js';
import { type DnsServer, type ServerOptions, startDnsServer } from '../../../helpers/dns-server.js';

const running: DnsServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});
async function serve(options: ServerOptions): Promise<DnsServer> {
  const server = await startDnsServer(options);
  running.push(server);
  return server;
}

const parent = ['org SOA a.nic.org hostmaster.nic.org 1 900', 'org NS a.nic.org', 'a.nic.org A 127.0.0.1'];
const apex = [
  'example.org SOA ns1.example.org hostmaster.example.org 7 600',
  'example.org NS ns1.example.org',
  'example.org NS ns2.example.org',
  'ns1.example.org A 127.0.0.2',
  'ns2.example.org A 127.0.0.3',
];
const sub = [
  'sub.example.org SOA ns.sub.example.org hostmaster.example.org 9 60',
  'sub.example.org NS ns.sub.example.org',
  'ns.sub.example.org A 127.0.0.4',
  'mail.sub.example.org A 198.51.100.9',
];
const cut = ['sub.example.org NS ns.sub.example.org', 'ns.sub.example.org A 127.0.0.4'];

/** ns1 chooses the port; everybody else uses the same one, as port 53 would be. */
async function lab(options: {
  ns1?: Partial<ServerOptions>;
  ns2?: Partial<ServerOptions> | null;
  records?: readonly string[];
  records2?: readonly string[];
  recursive?: readonly string[];
  allowAddress?: (address: string) => string | undefined;
  anchors?: readonly string[];
}) {
  const records = [...apex, ...(options.records ?? [])];
  const ns1 = await serve({
    zones: { 'example.org': [...records, ...cut] },
    address: '127.0.0.2',
    ...options.ns1,
  });
  const { port } = ns1;
  if (options.ns2 !== null)
    await serve({
      zones: { 'example.org': [...(options.records2 ? [...apex, ...options.records2] : records), ...cut] },
      address: '127.0.0.3',
      port,
      ...options.ns2,
    });
  await serve({ zones: { 'sub.example.org': sub }, address: '127.0.0.4', port });
  const recursiveServer = await serve({
    zones: {
      org: parent,
      'example.org': [...records, ...(options.recursive ?? [])],
      'sub.example.org': sub,
      'elsewhere.org': [
        'elsewhere.org SOA ns.elsewhere.org h.elsewhere.org 1 60',
        'elsewhere.org NS ns.sub.example.org',
        'www.elsewhere.org A 198.51.100.77',
      ],
    },
    recursive: true,
    port,
  });
  const recursive = createRecursiveResolver({ servers: [recursiveServer], query, timeoutMs: 300 });
  const resolver = createAuthoritativeResolver({
    recursive,
    query,
    port,
    timeoutMs: 200,
    anchors: options.anchors ?? ['example.org'],
    remember: true,
    ...(options.allowAddress && { allowAddress: options.allowAddress }),
  });
  return { resolver, recursive, recursiveServer, ns1 };
}

describe('createAuthoritativeResolver', () => {
  it('asks the zone’s own servers and says who answered', async () => {
    const { resolver } = await lab({ records: ['mail.example.org A 198.51.100.25'] });
    const answer = await resolver.resolve('Mail.example.org', 'A');
    expect(answer).toMatchObject({ status: 'ok', level: 'authoritative' });
    expect(answer.via).toMatch(/^127\.0\.0\.2:\d+ \(ns1\.example\.org\)$/);
  });

  it('asks a server that has two names once, and hears both', async () => {
    const { resolver, ns1 } = await lab({
      records: ['mail.example.org A 198.51.100.25'],
      recursive: ['example.org NS ns3.example.org', 'ns3.example.org A 127.0.0.2'],
    });
    const answers = await resolver.resolveEach('mail.example.org', 'A');
    expect(answers.map(({ server, status }) => [server.host, status])).toEqual([
      ['ns1.example.org', 'ok'],
      ['ns2.example.org', 'ok'],
      ['ns3.example.org', 'ok'],
    ]);
    expect(answers[2]?.via).toContain('(ns3.example.org)');
    expect(ns1.queries.filter((asked) => asked.startsWith('mail.'))).toHaveLength(1);
  });

  it('tells the resolver nothing about names below an anchor (R21)', async () => {
    const { resolver, recursiveServer } = await lab({});
    const answer = await resolver.resolve('new.example.org', 'A');
    expect(answer).toMatchObject({ status: 'nxdomain', soa: { zone: 'example.org', negativeTtl: 300 } });
    expect(recursiveServer.queries.filter((asked) => asked.startsWith('new.'))).toEqual([]);
  });

  it('nor about a host name that is named beside its domain (R21)', async () => {
    const { resolver, recursiveServer } = await lab({ anchors: ['new.example.org', 'example.org'] });
    expect(await resolver.resolve('new.example.org', 'A')).toMatchObject({ status: 'nxdomain' });
    expect(await resolver.findZone('new.example.org')).toMatchObject({ zone: 'example.org' });
    expect(recursiveServer.queries.filter((asked) => asked.startsWith('new.'))).toEqual([]);
  });

  it('follows a referral to a delegated zone below the anchor', async () => {
    const { resolver } = await lab({});
    const answer = await resolver.resolve('mail.sub.example.org', 'A');
    expect(answer.records).toMatchObject([{ data: { address: '198.51.100.9' } }]);
    expect(answer.via).toContain('ns.sub.example.org');
    expect(await resolver.findZone('mail.sub.example.org')).toMatchObject({ zone: 'sub.example.org' });
    expect(await resolver.findZone('example.org')).toMatchObject({ zone: 'example.org' });
  });

  it('follows a CNAME inside the zone and out of it', async () => {
    const { resolver } = await lab({
      records: [
        'www.example.org CNAME host.example.org',
        'host.example.org A 198.51.100.1',
        'out.example.org CNAME mail.sub.example.org',
      ],
    });
    const inside = await resolver.resolve('www.example.org', 'A');
    expect(inside.records).toMatchObject([{ data: { address: '198.51.100.1' } }]);
    const outside = await resolver.resolve('out.example.org', 'A');
    expect(outside).toMatchObject({
      status: 'ok',
      name: 'out.example.org',
      chain: [{ name: 'out.example.org' }],
    });
    expect(outside.records).toMatchObject([{ data: { address: '198.51.100.9' } }]);
  });

  it('gives every server’s own answer', async () => {
    const { resolver } = await lab({
      records: ['example.org MX 10 mail.example.org'],
      records2: ['example.org MX 10 old.example.org'],
    });
    const answers = await resolver.resolveEach('example.org', 'MX');
    expect(answers.map((answer) => [answer.server.host, answer.records[0]?.data])).toEqual([
      ['ns1.example.org', { type: 'MX', preference: 10, exchange: 'mail.example.org' }],
      ['ns2.example.org', { type: 'MX', preference: 10, exchange: 'old.example.org' }],
    ]);
  });

  it('marks a server without authority as lame and uses the other', async () => {
    const { resolver } = await lab({
      records: ['mail.example.org A 198.51.100.25'],
      ns1: { intercept: () => 'lame' },
    });
    const answers = await resolver.resolveEach('mail.example.org', 'A');
    expect(answers.map((answer) => [answer.server.host, answer.lame, answer.status])).toEqual([
      ['ns1.example.org', true, 'servfail'],
      ['ns2.example.org', false, 'ok'],
    ]);
    expect(await resolver.resolve('mail.example.org', 'A')).toMatchObject({ status: 'ok' });
  });

  it('falls back to the resolver, and says so, when no server can be reached', async () => {
    const { resolver } = await lab({
      records: ['mail.example.org A 198.51.100.25'],
      ns1: { intercept: () => 'drop' },
      ns2: { intercept: () => 'drop' },
    });
    const answer = await resolver.resolve('mail.example.org', 'A');
    expect(answer).toMatchObject({ status: 'ok', level: 'recursive' });
    expect(answer.via).toMatch(/^resolver 127\.0\.0\.1/);
  });

  it('keeps a refusal a refusal: no fallback, never absent', async () => {
    const { resolver } = await lab({ ns1: { intercept: () => 5 }, ns2: { intercept: () => 5 } });
    expect(await resolver.resolve('mail.example.org', 'A')).toMatchObject({
      status: 'refused',
      level: 'authoritative',
    });
  });

  it('connects to no address it may not ask (A7)', async () => {
    const { resolver, ns1 } = await lab({
      records: ['mail.example.org A 198.51.100.25'],
      allowAddress: () => 'loopback address',
    });
    expect(await resolver.resolve('mail.example.org', 'A')).toMatchObject({ level: 'recursive' });
    expect(ns1.queries).toEqual([]);
    expect(await resolver.findZone('example.org')).toMatchObject({
      servers: [],
      unusable: [{ host: 'ns1.example.org' }, { host: 'ns2.example.org' }],
    });
  });

  it('asks each question once when it remembers', async () => {
    const { resolver, ns1 } = await lab({ records: ['mail.example.org A 198.51.100.25'] });
    await Promise.all([
      resolver.resolve('mail.example.org', 'A'),
      resolver.resolveEach('mail.example.org', 'A'),
      resolver.resolve('MAIL.example.org', 'A'),
    ]);
    expect(ns1.queries).toEqual(['mail.example.org A']);
  });

  it('finds the zone of a name outside every anchor by its SOA', async () => {
    const { resolver } = await lab({});
    expect(await resolver.findZone('www.elsewhere.org')).toMatchObject({
      zone: 'elsewhere.org',
      servers: [{ host: 'ns.sub.example.org', address: '127.0.0.4' }],
    });
  });

  it('never asks for names that DNS cannot hold', async () => {
    const { resolver, ns1 } = await lab({});
    expect(await resolver.resolve(`${'a'.repeat(64)}.example.org`, 'A')).toMatchObject({
      status: 'nxdomain',
    });
    expect(await resolver.resolve('a..example.org', 'A')).toMatchObject({ status: 'nxdomain' });
    expect(ns1.queries).toEqual([]);
  });
});
