import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openPaperVps, type PaperOptions, type PaperVps } from '../../helpers/paper-vps.js';

let vps: PaperVps | undefined;
afterEach(async () => {
  await vps?.close();
  vps = undefined;
});

async function open(options: Partial<PaperOptions> = {}): Promise<PaperVps> {
  vps = await openPaperVps({ zones: ['example.org', 'other.test'], addresses: ['203.0.113.77'], ...options });
  return vps;
}

const other = ['--domain', 'other.test', '--dns', 'cloudflare', '--mailbox', 'ada@other.test'];

describe('a second machine beside a configuration with one server', () => {
  const yaml = `version: 1
servers:
  mail.example.org: { ssh: root@203.0.113.25, hostKey: "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
domains:
  example.org: { dns: cloudflare }
`;

  async function beside(): Promise<PaperVps> {
    const one = await open();
    await writeFile(one.configFile, yaml);
    const lock = {
      version: 1,
      servers: { 'mail.example.org': { ipv4: '203.0.113.25' } },
      domains: { 'example.org': { dkim: [], zone: 'example.org' } },
    };
    await writeFile(join(one.folder, 'smtp-setup.lock.json'), JSON.stringify(lock));
    return one;
  }

  it('gets a host name of its own', async () => {
    const one = await beside();
    const { err } = await one.run('init', '--ssh', one.ssh, ...other);
    expect(err).toContain('Plan for mail.other.test:');
    expect(err).toMatch(/\+ +A +mail\.other\.test +203\.0\.113\.77/);
    expect(err).not.toContain('mail.example.org');
  });

  it('does not get that of the first one, were it asked for', async () => {
    const one = await beside();
    const flags = ['--hostname', 'mail.example.org', '--yes', '--json'];
    const { code, out } = await one.run('init', '--ssh', one.ssh, ...other, ...flags);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'E_OTHER_MACHINE' } });
    expect(await readFile(one.configFile, 'utf8')).toBe(yaml);
    expect(one.emulator.writeCount()).toBe(0);
  });
});

describe('a server without IPv4', () => {
  it('has its AAAA record in the plan, and the step about its reverse name', async () => {
    const one = await open({ addresses: ['2001:db8:9::25'] });
    const { err } = await one.run('init', '--ssh', one.ssh, ...other);
    expect(err).toMatch(/\+ +AAAA +mail\.other\.test +2001:db8:9::25/);
    expect(err).toContain('Set the reverse name (PTR) of 2001:db8:9::25 to mail.other.test');
  });

  it('nor any other address is refused before anything is written', async () => {
    const one = await open({ addresses: [] });
    const { code, out } = await one.run('init', '--ssh', one.ssh, ...other, '--yes', '--json');
    expect(code).toBe(5);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'E_NO_ADDRESS' } });
    expect(one.emulator.writeCount()).toBe(0);
    const given = await one.run('init', '--ssh', one.ssh, ...other, '--ipv4', '203.0.113.77');
    expect(given.err).toMatch(/\+ +A +mail\.other\.test +203\.0\.113\.77/);
  });
});

it('a token that sees the zone and not its records is told as one', async () => {
  const one = await open();
  one.emulator.addFault({ path: 'dns_records', answer: 403, code: 10_000, message: 'Authentication error' });
  const { code, out } = await one.run('init', '--ssh', one.ssh, ...other, '--json');
  expect(code).toBe(2);
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'E_DNS_TOKEN' } });
});
