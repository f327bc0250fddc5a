import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refuseUnwritable } from '../../../src/config/atomic-write.js';
import { loadConfig, loadLock, requireConfig, saveLock } from '../../../src/config/load.js';
import { parseConfig } from '../../../src/config/parse.js';
import { renderConfig, saveConfig } from '../../../src/config/save.js';
import { type Config, domainSchema } from '../../../src/config/schema.js';

const commented = `# ours
version: 1
servers:
  mail.example.org:   # the VPS
    ssh: 'root@198.51.100.10'  # quoted as I like it
domains:
  # the first
  example.org:
    dns: cloudflare
    ttl: 300 # short for now
`;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function edit(change: (config: Config) => void): string {
  const loaded = parseConfig(commented, 'c.yaml');
  const config = structuredClone(loaded.config);
  change(config);
  return renderConfig(config, loaded);
}

describe('renderConfig', () => {
  it('keeps every comment when nothing differs', () => {
    const text = edit(() => undefined);
    for (const comment of commented.match(/# .*/g) ?? []) expect(text).toContain(comment);
    expect(parseConfig(text, 'c.yaml').config).toEqual(parseConfig(commented, 'c.yaml').config);
  });

  it('changes a value and keeps its comment', () => {
    const text = edit((config) => {
      config.domains['example.org']!.ttl = 3600;
      config.servers['mail.example.org']!.ssh = 'root@mail.example.org';
    });
    expect(text).toContain('ttl: 3600 # short for now');
    expect(text).toContain("ssh: 'root@mail.example.org' # quoted as I like it");
    expect(text).toContain('# the first');
  });

  it('adds a domain without the defaults, and takes one away', () => {
    const added = edit((config) => {
      config.domains['example.net'] = { ...domainSchema.parse({ dns: 'cloudflare' }), mail: 'send-only' };
    });
    expect(added).toContain('  example.net:\n    dns: cloudflare\n    mail: send-only\n');
    const removed = edit((config) => {
      delete config.domains['example.org'];
    });
    expect(removed).not.toContain('cloudflare');
  });

  it('writes a new file that says what it is and reads back the same', () => {
    const { config } = parseConfig(commented, 'c.yaml');
    const text = renderConfig(config);
    expect(text).toMatch(/^# What this mail server should be\. No secrets/);
    expect(text).not.toContain('profile');
    expect(parseConfig(text, 'c.yaml').config).toEqual(config);
  });
});

describe('files', () => {
  it('are written whole, keep mode and symbolic link, and leave nothing beside', async () => {
    const path = join(folder, 'smtp-setup.yaml');
    writeFileSync(join(folder, 'real.yaml'), commented);
    chmodSync(join(folder, 'real.yaml'), 0o640);
    symlinkSync('real.yaml', path);
    const loaded = await requireConfig(path);
    const config = structuredClone(loaded.config);
    expect(await saveConfig(path, config, loaded)).toBe(false);
    config.domains['example.org']!.ttl = 600;
    expect(await saveConfig(path, config, loaded)).toBe(true);
    expect(readFileSync(join(folder, 'real.yaml'), 'utf8')).toContain('ttl: 600');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).sort()).toEqual(['real.yaml', 'smtp-setup.yaml']);
  });

  it('that could not be written are refused before there is anything to lose', async () => {
    writeFileSync(join(folder, 'file'), '');
    for (const [path, why] of [
      [join(folder, 'none', 'smtp-setup.yaml'), /There is no folder .*none/],
      [join(folder, 'file', 'smtp-setup.yaml'), /ENOTDIR/],
    ] as const) {
      const fault = { code: 'E_FILE_UNWRITABLE', evidence: [expect.stringMatching(why)] };
      await expect(refuseUnwritable(path)).rejects.toMatchObject({ ...fault, exit: 2 });
      await expect(saveConfig(path, parseConfig(commented, 'c.yaml').config)).rejects.toMatchObject({
        ...fault,
        exit: 1,
      });
    }
    await refuseUnwritable(join(folder, 'new.yaml'));
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('that are absent are no configuration, and an error where one is needed', async () => {
    expect(await loadConfig(join(folder, 'none.yaml'))).toBeUndefined();
    await expect(requireConfig(join(folder, 'none.yaml'))).rejects.toMatchObject({
      code: 'E_CONFIG_MISSING',
      exit: 2,
    });
  });

  it('that are folders, endless or not UTF-8 are refused with the reason', async () => {
    await expect(loadConfig(folder)).rejects.toMatchObject({ code: 'E_FILE_UNREADABLE' });
    await expect(loadConfig('/dev/zero')).rejects.toMatchObject({ code: 'E_FILE_UNREADABLE' });
    writeFileSync(join(folder, 'latin1.yaml'), Buffer.from([0x61, 0xe9]));
    await expect(loadConfig(join(folder, 'latin1.yaml'))).rejects.toMatchObject({
      code: 'E_FILE_UNREADABLE',
    });
  });
});

describe('the lock file', () => {
  const lock = {
    version: 1 as const,
    servers: { 'mail.example.org': { ipv6: '2001:db8::1', ipv4: '198.51.100.10' } },
    domains: { 'example.org': { dkim: [{ selector: 's202611', publicKey: 'MIIB' }], zone: 'example.org' } },
  };

  it('is written only when it differs, with sorted keys, and read back', async () => {
    const config = join(folder, 'smtp-setup.yaml');
    expect(await loadLock(config)).toEqual({ version: 1, servers: {}, domains: {} });
    expect(await saveLock(config, lock)).toBe(true);
    expect(await saveLock(config, structuredClone(lock))).toBe(false);
    expect(await loadLock(config)).toEqual(lock);
    const text = readFileSync(join(folder, 'smtp-setup.lock.json'), 'utf8');
    expect(text.indexOf('ipv4')).toBeLessThan(text.indexOf('ipv6'));
  });

  it.each([
    ['{', /JSON/],
    ['{"version":2,"servers":{},"domains":{}}', /^version/],
    ['{"version":1,"servers":{"a.b":{"ipv4":"::1"}},"domains":{}}', /^servers\.a\.b\.ipv4/],
    ['{"version":1,"servers":{},"domains":{},"token":"x"}', /token/],
  ])('is refused when it reads %s', async (text, evidence) => {
    writeFileSync(join(folder, 'smtp-setup.lock.json'), text);
    const error = await loadLock(join(folder, 'smtp-setup.yaml')).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'E_LOCK_INVALID', exit: 2 });
    expect((error as { evidence: string[] }).evidence[0]).toMatch(evidence);
  });
});
