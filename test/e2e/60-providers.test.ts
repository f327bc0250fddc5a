import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabProviderApis, startProviderApis } from '../../src/sandbox/emulator/start-provider-apis.js';
import { moveToOwnServer } from '../helpers/own-name-server.js';
import { type CliResult, openProvisioned, type World } from '../helpers/world.js';

/** One server, whose records go through one provider after the other; whatever writes them, the zone is the same. */
let world: World;
let apis: LabProviderApis;
let domain = '';
let before: string[] = [];
let wanted: string[] = [];

beforeAll(async () => {
  world = await openProvisioned('e2e-providers');
  ({ domain } = world.lab);
  apis = await startProviderApis(world.lab, ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com']);
  before = await served();
});
afterAll(() => world?.lab.down());

/** What the name server holds, in its own words. */
const served = async (): Promise<string[]> =>
  (await world.lab.dns.readZone(domain)).filter((line) => !/^\S+ \d+ SOA /.test(line)).sort();

function expectExit(result: CliResult, code: number): CliResult {
  expect(result.code, `${result.stdout}\n${result.stderr}`).toBe(code);
  return result;
}

function envFor(id: string): Readonly<Record<string, string>> {
  const { host, tsig } = world.lab.dns;
  if (id === 'hetzner' || id === 'digitalocean' || id === 'route53') return apis.env[id];
  if (id !== 'rfc2136') return {};
  return {
    DNSUPDATE_NAMESERVER: `${host.ipv4}:53`,
    DNSUPDATE_TSIG_KEY: tsig.name,
    DNSUPDATE_TSIG_SECRET: tsig.secret,
    DNSUPDATE_TSIG_ALGORITHM: tsig.algorithm,
  };
}

const apply = (id: string, env = envFor(id)) => world.cliWithFlags('apply', ['--dns', id, '--yes'], env);

async function undo(id: string, env = envFor(id)): Promise<CliResult> {
  const { configFile } = world.rehearsal;
  const args = ['undo', 'dns', '--config', configFile, '--resolver', world.lab.resolver, '--yes'];
  return world.cli(args, { env });
}

async function expectHealthy(): Promise<void> {
  await world.lab.resolverHost.flush();
  const { configFile } = world.rehearsal;
  const args = ['check', 'dns', '--config', configFile, '--resolver', world.lab.resolver, '--wait=1m'];
  expectExit(await world.cli(args), 0);
}

describe('init with a provider other than Cloudflare', () => {
  it('sets up everything through dynamic updates', async () => {
    const args = world.rehearsal.initArguments.map((word) => (word === 'cloudflare' ? 'rfc2136' : word));
    expectExit(await world.cli(args, { env: envFor('rfc2136') }), 0);
    wanted = await served();
    expect(wanted.length).toBeGreaterThan(before.length + 8);
    await expectHealthy();
    expectExit(await undo('rfc2136'), 0);
    expect(await served()).toEqual(before);
  });
});

/** What a provider declares that it cannot hold is left out, and nothing else. */
const declined: Readonly<Record<string, RegExp>> = { digitalocean: / (TLSA |SRV \d+ \d+ 0 \.$)/ };

/** The server is one of Hetzner's that nobody has named yet: the token that writes the records can name it. */
async function rentAtHetzner(): Promise<void> {
  const { vps, dns, resolverHost } = world.lab;
  await vps.exec('mkdir -p /run/cloud-init && echo hetzner >/run/cloud-init/cloud-id');
  await dns.setPtr(vps.ipv4, undefined);
  await resolverHost.flush();
}

async function reverseRecords(): Promise<string> {
  const zone = (await world.lab.dns.zones()).find((name) => name.endsWith('.in-addr.arpa.')) ?? '';
  return (await world.lab.dns.readZone(zone)).join('\n');
}

async function expectNamed({ stdout, stderr }: CliResult): Promise<void> {
  const { vps } = world.lab;
  expect(stderr).toContain('Reverse names: Hetzner Cloud');
  expect(stderr).toContain(`Set the reverse name of ${vps.ipv4} at Hetzner Cloud`);
  expect(stderr + stdout).not.toContain('By hand');
  expect(await reverseRecords()).toContain(` PTR ${world.rehearsal.hostname}.`);
}

/** What undo leaves is what Hetzner calls the address by itself; the others need the name again, from the panel. */
async function expectUnnamed({ stdout }: CliResult): Promise<void> {
  const { vps, dns, resolverHost } = world.lab;
  expect(stdout).toMatch(/Took back \d+ DNS records and 1 reverse name\./);
  expect(await reverseRecords()).toMatch(/ PTR static\.[0-9.]+\.clients\.your-server\.de\./);
  expect(await reverseRecords()).not.toContain(` PTR ${world.rehearsal.hostname}.`);
  await dns.setPtr(vps.ipv4, world.rehearsal.hostname);
  await resolverHost.flush();
}

describe('apply --dns, each provider in turn', () => {
  it.each(['cloudflare', 'hetzner', 'digitalocean', 'route53'])('%s ends in the same zone', async (id) => {
    if (id === 'hetzner') await rentAtHetzner();
    const done = expectExit(await apply(id), 0);
    if (id === 'hetzner') await expectNamed(done);
    const leftOut = declined[id];
    expect(await served()).toEqual(wanted.filter((line) => leftOut === undefined || !leftOut.test(line)));
    // The resolver may still say that there is no reverse name: who set it knows better, and nothing is to be done.
    expect(expectExit(await apply(id), 0).stdout).toContain('Nothing to change');
    await expectHealthy();
    const undone = expectExit(await undo(id), 0);
    expect(await served()).toEqual(before);
    if (id === 'hetzner') await expectUnnamed(undone);
  });
});

/** Types what the tool printed into the zone, as a person would. */
async function enter(text: string): Promise<number> {
  const lines = text.split('\n').filter((line) => /^\S+\. \d+ IN [A-Z]+ /.test(line));
  await world.lab.dns.update(
    domain,
    lines.map((line) => `add ${line}`),
  );
  return lines.length;
}

describe('apply --dns manual', () => {
  it('says what to enter before anything leans on it, and goes on when it is there', async () => {
    const first = expectExit(await apply('manual'), 4);
    expect(first.stderr).toContain(`Records of ${domain}, to be entered at your DNS provider`);
    expect(first.stderr).toContain('E_DNS_PENDING');
    const shown = first.stderr.slice(first.stderr.lastIndexOf('$ORIGIN'));
    expect(shown).not.toMatch(/ IN MX /);
    expect(await served()).toEqual(before);
    expect(await enter(shown)).toBeGreaterThan(2);

    const second = expectExit(await apply('manual'), 4);
    const rest = second.stderr.slice(second.stderr.lastIndexOf('$ORIGIN'));
    expect(rest).toMatch(/ IN MX /);
    await enter(rest);
    expect(await served()).toEqual(wanted);
    expect(expectExit(await apply('manual'), 0).stdout).toContain('Nothing to change');
    await expectHealthy();
  });

  it('undo says what to remove', async () => {
    const undone = expectExit(await undo('manual'), 4);
    expect(undone.stdout).toContain('Remove:');
    expect(undone.stdout).toMatch(/ IN MX /);
    expect(await served()).toEqual(wanted);
  });
});

describe('apply to a name server of one’s own, with the zone signed there', () => {
  it.each([
    ['powerdns', 'powerdns'],
    ['rfc2136', 'named'],
  ] as const)('%s, with %s, ends in the same zone', async (id, program) => {
    const own = await moveToOwnServer(world.lab, program);
    const records = wanted.filter((line) => !/^\S+ \d+ NS /.test(line));
    expect(await own.served()).toEqual([]);
    expectExit(await apply(id, own.env), 0);
    expect(await own.served()).toEqual(records);
    expect(expectExit(await apply(id, own.env), 0).stdout).toContain('Nothing to change');
    await expectHealthy();
    expectExit(await undo(id, own.env), 0);
    expect(await own.served()).toEqual([]);
  });
});
