import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { lockPathFor } from '../../src/config/lock-file.js';
import { rentSecondVps, type SecondVps } from '../../src/sandbox/second-vps.js';
import { type CliResult, openProvisioned, type World } from '../helpers/world.js';

/** Two servers in one configuration, on both releases; their domains share a zone. */
let world: World;
let second: SecondVps;
let hosts: [string, string];
let subdomain: string;

beforeAll(async () => {
  world = await openProvisioned('e2e-fleet', 'debian-12');
  second = await rentSecondVps(world.lab, 'debian-13');
  hosts = [world.rehearsal.hostname, `mail2.${world.lab.domain}`];
  subdomain = `sub.${world.lab.domain}`;
  for (const address of [second.ipv4, second.ipv6 ?? '']) await world.lab.dns.setPtr(address, `${hosts[1]}.`);
  await writeConfig();
});
afterAll(() => world?.lab.down());

async function writeConfig(
  hostKeys: readonly [string, string] = [world.lab.vps.hostKeyFingerprint, second.hostKeyFingerprint],
): Promise<void> {
  const { lab } = world;
  const common = {
    identity: lab.vps.sshKeyFile,
    resolver: { forwarder: lab.resolver, trustAnchor: lab.trustAnchorFile },
  };
  const config = {
    version: 1,
    servers: {
      [hosts[0]]: { ssh: `root@${lab.vps.ipv4}`, hostKey: hostKeys[0], ...common },
      [hosts[1]]: { ssh: `root@${second.ipv4}`, hostKey: hostKeys[1], ...common },
    },
    domains: {
      [lab.domain]: { server: hosts[0], dns: 'cloudflare' },
      [subdomain]: { server: hosts[1], dns: 'cloudflare' },
    },
  };
  await writeFile(world.rehearsal.configFile, stringify(config));
}

const run = (command: string, ...more: string[]): Promise<CliResult> => {
  const { lab, rehearsal } = world;
  const flags = [
    ...['--config', rehearsal.configFile, '--resolver', lab.resolver],
    ...['--acme-directory', lab.acme.directory, '--acme-ca', lab.acme.caFile],
  ];
  return world.cli([command, ...flags, ...more]);
};
const exchanges = async () => {
  const records = await world.rehearsal.cloudflare.control.records(world.lab.domain);
  const found = records.flatMap(({ type, name, content }) => (type === 'MX' ? [`${name} ${content}`] : []));
  return found.sort();
};
const said = ({ stdout, stderr }: CliResult) => `${stdout}\n${stderr}`;

describe('two servers in one configuration', () => {
  it('are shown in one plan, with their zone once', async () => {
    const plan = await run('plan');
    expect(plan.code, said(plan)).toBe(0);
    for (const host of hosts) expect(plan.stdout).toContain(`Plan for ${host}: `);
    expect(plan.stdout.match(/^DNS: /gm)).toHaveLength(1);
    expect(plan.stdout).toContain('2 servers: 2 to change, 0 as planned');
  });

  it('are made at once; one that has to wait for its first mailbox does not hold up the other', async () => {
    const apply = await run('apply', '--yes', '--json');
    expect(apply.code, said(apply)).toBe(1);
    const { servers } = JSON.parse(apply.stdout);
    expect(servers).toEqual([
      expect.objectContaining({ hostname: hosts[0], changed: true }),
      { hostname: hosts[1], error: expect.objectContaining({ code: 'E_UNFINISHED' }) },
    ]);
    // Side by side: each begins before the other ends.
    const events = apply.stderr.split('\n').filter((line) => line.startsWith('{'));
    const first = (host: string) => events.findIndex((line) => line.includes(`"${host} install-`));
    const last = (host: string) => events.findLastIndex((line) => line.includes(`"${host} install-`));
    expect(first(hosts[1])).toBeLessThan(last(hosts[0]));
    expect(first(hosts[0])).toBeLessThan(last(hosts[1]));
    expect(apply.stderr).toContain(`not as planned: ${hosts[1]}; as planned: ${hosts[0]}`);
    expect(await exchanges()).toEqual([`${world.lab.domain} ${hosts[0]}`]);
    const lock = JSON.parse(await readFile(lockPathFor(world.rehearsal.configFile), 'utf8'));
    expect(Object.keys(lock.servers).sort()).toEqual([...hosts].sort());
    for (const domain of [world.lab.domain, subdomain]) expect(lock.domains[domain].dkim).toHaveLength(1);
  });

  it('are whole in the end: the next plan is empty', async () => {
    const { configFile, passwordFile } = world.rehearsal;
    const added = await world.cli(
      ['user', 'add', `grace@${subdomain}`, '--password-file', passwordFile, '--config', configFile, '--yes'],
      { env: { SMTP_SETUP_HOSTNAME: hosts[1] } },
    );
    expect(added.code, said(added)).toBe(0);
    const apply = await run('apply', '--yes', '--json');
    expect(apply.code, said(apply)).toBe(0);
    expect(await exchanges()).toEqual([`${world.lab.domain} ${hosts[0]}`, `${subdomain} ${hosts[1]}`]);
    const plan = await run('plan', '--exit-code');
    expect(plan.code, said(plan)).toBe(0);
    expect(plan.stdout).toContain('2 servers: 0 to change, 2 as planned');
    const again = await run('apply', '--yes', '--json');
    expect(again.code, said(again)).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ changed: false });
  });

  it('do not hold each other up: one that cannot be reached is named, the other is put right', async () => {
    const { lab } = world;
    await lab.vps.exec('rm /etc/postfix/submission_header_checks');
    await writeConfig([lab.vps.hostKeyFingerprint, `SHA256:${'A'.repeat(43)}`]);
    const apply = await run('apply', '--yes', '--json');
    expect(apply.code, said(apply)).toBe(1);
    const { servers } = JSON.parse(apply.stdout);
    expect(servers).toEqual([
      expect.objectContaining({ hostname: hosts[0], changed: true }),
      expect.objectContaining({
        hostname: hosts[1],
        error: expect.objectContaining({ code: expect.any(String) }),
      }),
    ]);
    expect(apply.stderr).toContain(`not as planned: ${hosts[1]}`);
    expect((await lab.vps.exec('test -s /etc/postfix/submission_header_checks')).code).toBe(0);
    const plan = await run('plan', '--exit-code', '--server', hosts[0]);
    expect(plan.code, said(plan)).toBe(0);
    const whose = await run('plan', '--ssh', `root@${second.ipv4}`);
    expect(whose.code).toBe(2);
    expect(said(whose)).toContain('E_ONE_SERVER');
  });
});
