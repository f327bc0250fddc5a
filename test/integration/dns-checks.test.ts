import { once } from 'node:events';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DnsTarget } from '../../src/checks/dns/context.js';
import type { CheckReport } from '../../src/checks/run.js';
import type { DesiredRecord, DnsRecord, RecordData } from '../../src/dns/record.js';
import type { WaitResult } from '../../src/dns/visible.js';
import { cacheDirFrom, createLab, type Lab } from '../../src/sandbox/index.js';
import { desired, dkimPublicKey, lineOf, txt } from '../helpers/dns-lab.js';
import type { LabOrder } from '../helpers/lab-dns-program.js';

const domain = 'rehearsal.test';
const host = `mail.${domain}`;
let lab: Lab;
let program: string;

beforeAll(async () => {
  lab = await createLab({
    name: 'it-dns',
    cacheDir: cacheDirFrom(process.env),
    domain,
    services: ['dns', 'resolver'],
  });
  program = join(lab.directory, 'lab-dns-program.cjs');
  await build({
    entryPoints: [new URL('../helpers/lab-dns-program.ts', import.meta.url).pathname],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
  });
  for (const record of plan()) await publish(record);
  await lab.dns.setPtr(lab.vps.ipv4, host);
});
afterAll(async () => {
  await lab.down();
});

async function order<T>(what: LabOrder): Promise<T> {
  const { code, stdout, stderr } = await lab.client.exec(process.execPath, [program, JSON.stringify(what)]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout) as T;
}

function plan(): DesiredRecord[] {
  return [
    desired('a', host, { type: 'A', address: lab.vps.ipv4 }, 'host'),
    desired('host-spf', host, txt('v=spf1 a -all')),
    desired('spf', domain, txt(`v=spf1 a:${host} -all`)),
    desired('dkim', `s202611._domainkey.${domain}`, txt(`v=DKIM1; k=rsa; p=${dkimPublicKey}`)),
    desired(
      'dmarc',
      `_dmarc.${domain}`,
      txt(`v=DMARC1; p=quarantine; rua=mailto:postmaster@${domain}`),
      'policy',
    ),
    desired('mx', domain, { type: 'MX', preference: 10, exchange: host }, 'mx'),
    desired('tls-rpt', `_smtp._tls.${domain}`, txt(`v=TLSRPTv1; rua=mailto:postmaster@${domain}`), 'tail'),
    desired(
      'tlsa',
      `_25._tcp.${host}`,
      { type: 'TLSA', usage: 3, selector: 1, matchingType: 1, data: 'ab'.repeat(32) },
      'tail',
    ),
    desired(
      'srv',
      `_imaps._tcp.${domain}`,
      { type: 'SRV', priority: 0, weight: 1, port: 993, target: host },
      'tail',
    ),
    desired('autoconfig', `autoconfig.${domain}`, { type: 'CNAME', target: host }, 'tail'),
  ];
}

/** Zone-file data with absolute names. */
function dataOf(record: DnsRecord): string {
  const data = lineOf(record).split(' ').slice(2).join(' ');
  return 'address' in record.data || record.data.type === 'TXT' || record.data.type === 'TLSA'
    ? data
    : `${data}.`;
}
const typeOf = (data: RecordData) => (data.type === 'OTHER' ? data.rrtype : data.type);
const publish = (record: DnsRecord, value = dataOf(record)) =>
  lab.dns.setRecords(record.name, typeOf(record.data), value === '' ? [] : [value]);

async function check(): Promise<CheckReport> {
  const target: DnsTarget = {
    domain,
    host,
    addresses: [lab.vps.ipv4],
    mail: 'full',
    expected: plan(),
    selectors: [],
    issuer: 'letsencrypt.org',
  };
  await lab.resolverHost.flush();
  return order({ do: 'check', resolver: lab.resolver, target });
}
const idsOf = (report: CheckReport, status: string) =>
  report.results.filter((finding) => finding.status === status).map(({ id }) => id);

describe('check dns against real servers', () => {
  it('a healthy, signed domain: nothing to complain about, and the signatures are seen', async () => {
    const report = await check();
    for (const status of ['fail', 'warn', 'unknown'])
      expect(report.results.filter((finding) => finding.status === status)).toEqual([]);
    expect(report.results.find(({ id }) => id === 'DNSSEC')).toMatchObject({
      status: 'pass',
      message: 'Signed and validated.',
    });
    expect(report.results.find(({ id }) => id === 'DANE-UNSIGNED')).toMatchObject({ status: 'pass' });
    expect(report.results.filter(({ level }) => level === 'authoritative').length).toBeGreaterThan(20);
  });

  it('each record lost in turn: its own check fails, alone, with the record to add', async () => {
    const guardians: Record<string, string> = {
      a: 'HOST-A',
      'host-spf': 'SPF-PASS',
      spf: 'SPF-MISSING',
      dkim: 'DKIM-KEY',
      dmarc: 'DMARC-ONE',
      mx: 'MX-EXISTS',
      'tls-rpt': 'TLSRPT',
      tlsa: 'DANE-MATCH',
      srv: 'SRV',
      autoconfig: 'AUTOCFG',
    };
    for (const record of plan()) {
      await publish(record, '');
      const report = await check();
      expect([record.role, ...idsOf(report, 'fail')]).toEqual([record.role, guardians[record.role]]);
      const failed = report.results.find(({ status }) => status === 'fail');
      expect(failed?.fix?.record).toEqual({ name: record.name, ttl: record.ttl, data: record.data });
      await publish(record);
    }
    expect(idsOf(await check(), 'fail')).toEqual([]);
  });

  it('a DS that fits no key: bogus, while the rest is still read from the name servers', async () => {
    const zone = await lab.dns.host.exec(['kdig', '@127.0.0.1', '+short', `${domain}.`, 'DS']);
    const good = zone.stdout
      .trim()
      .split('\n')
      .filter((line) => line !== '');
    expect(good.length).toBeGreaterThan(0);
    await lab.dns.update('test.', [
      `delete ${domain}. DS`,
      `add ${domain}. 300 DS 1 13 2 ${'00'.repeat(32)}`,
    ]);
    const report = await check();
    expect(report.results.find(({ id }) => id === 'DNSSEC')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('bogus'),
    });
    expect(report.results.find(({ id }) => id === 'MX-EXISTS')).toMatchObject({
      status: 'pass',
      level: 'authoritative',
    });
    await lab.dns.update('test.', [
      `delete ${domain}. DS`,
      ...good.map((data) => `add ${domain}. 300 DS ${data}`),
    ]);
    expect(idsOf(await check(), 'fail')).toEqual([]);
  });
});

describe('the wire client against a real server', () => {
  it('gets an answer that does not fit into a datagram over TCP', async () => {
    const long = Array.from({ length: 12 }, (_, index) => `"${String(index).padStart(3, '0').repeat(80)}"`);
    await lab.dns.setRecords(`long.${domain}`, 'TXT', long);
    const reply = await order<{ ok: boolean; transport: string; answers: unknown[] }>({
      do: 'ask',
      server: lab.addresses.dns.ipv4,
      name: `long.${domain}`,
      type: 'TXT',
    });
    expect(reply).toMatchObject({ ok: true, transport: 'tcp' });
    expect(reply.answers).toHaveLength(12);
  });
});

describe('waitUntilVisible against a real server', () => {
  it('sees a record that comes while it waits, and knows how long caches may deny it', async () => {
    const record: DnsRecord = {
      name: `late.${domain}`,
      ttl: 300,
      data: { type: 'A', address: '198.51.100.99' },
    };
    const what: LabOrder = {
      do: 'wait',
      resolver: lab.resolver,
      anchor: domain,
      records: [record],
      seconds: 60,
    };
    const waiting = lab.client.spawn(process.execPath, [program, JSON.stringify(what)]);
    let output = '';
    const ended = once(waiting, 'close');
    await new Promise<void>((resolve) => {
      waiting.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('\n')) resolve();
      });
    });
    await publish(record);
    await ended;
    const result = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as WaitResult<DnsRecord>;
    expect(result).toMatchObject({ visible: true, pending: [] });
    expect(result.cacheSeconds).toBeGreaterThan(0);
    // R21: the resolver never learnt that the name did not exist.
    const { stdout } = await lab.client.exec('dig', ['+short', record.name, 'A']);
    expect(stdout.trim()).toBe('198.51.100.99');
  });
});

// Last, because the server stays down.
describe('name servers that are down', () => {
  it('make everything unknown, and nothing absent', async () => {
    await lab.dns.host.stop();
    const report = await check();
    expect(idsOf(report, 'fail')).toEqual([]);
    expect(report.summary.unknown).toBeGreaterThan(10);
    expect(report.results.find(({ id }) => id === 'SPF-MISSING')).toMatchObject({ status: 'unknown' });
  });
});
