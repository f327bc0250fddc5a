import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const boot = readFileSync('templates/export/boot.sh', 'utf8');

function textOf(name: string): string {
  const body = new RegExp(`^${name}\\(\\) \\{\\n[\\s\\S]*?^\\}`, 'm').exec(boot)?.[0];
  if (body === undefined) throw new Error(`no function ${name}`);
  return body;
}

/** One function of the script that an exported server runs, beside stand-ins for the programs that it asks. */
function call(name: string, standIns: string, helpers: readonly string[] = []): string {
  const body = [...helpers, name].map(textOf).join('\n');
  const program = `say() { echo "said: $*"; }\n${standIns}\n${body}\n${name}\n`;
  return spawnSync('sh', ['-u', '-c', program], { encoding: 'utf8' }).stdout;
}

const armed = 'systemctl() { case $1 in is-active) true ;; *) echo "systemctl $*" ;; esac; }';
const rules = (ports: string) => `nft() { echo '	tcp dport ${ports} accept comment "SSH"'; }`;
const listensOn = (...ports: number[]) =>
  `sshd() { printf '%s\\n' ${ports.map((port) => `'port ${port}'`).join(' ') || 'x'}; }`;
const stopped =
  'systemctl stop smtp-setup-firewall-deadman.timer\nsystemctl enable smtp-setup-firewall.service\n';

it('keeps the firewall rules that let SSH in, on every port where it listens', () => {
  expect(call('keep_firewall', [armed, rules('22'), listensOn(22)].join('\n'))).toBe(stopped);
  expect(call('keep_firewall', [armed, rules('{ 22, 2222 }'), listensOn(22, 2222)].join('\n'))).toBe(stopped);
});

it('lets rules go that would shut the operator out, or of which it cannot tell', () => {
  const shut = call('keep_firewall', [armed, rules('22'), listensOn(22, 2222)].join('\n'));
  expect(shut).toContain('SSH listens on 2222');
  expect(shut).not.toContain('systemctl stop');
  expect(call('keep_firewall', [armed, rules('22'), listensOn()].join('\n'))).not.toContain('systemctl stop');
  expect(call('keep_firewall', [armed, rules('2222'), listensOn(22)].join('\n'))).not.toContain(
    'systemctl stop',
  );
});

it('touches nothing when no rules wait to be kept', () => {
  const idle = 'systemctl() { case $1 in is-active) false ;; *) echo "systemctl $*" ;; esac; }';
  expect(call('keep_firewall', [idle, rules('22'), listensOn(22)].join('\n'))).toBe('');
});

describe('the login of a relay', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'smtp-setup-boot-'));
    mkdirSync(join(folder, 'secrets'));
    writeFileSync(join(folder, 'logins'), 'server smtp.relay.test\nshop.test relay.shop.test\n');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const fetchLogins = (kind: string, source: string) =>
    call('fetch_logins', `base='${folder}' work='${folder}' LOGIN_KIND=${kind} LOGIN_SOURCE='${source}'`, [
      'fetch',
    ]);
  const secret = (name: string) => readFileSync(join(folder, 'secrets', `relay-${name}`), 'utf8');

  it('comes from a file, with or without a newline at its end', () => {
    writeFileSync(join(folder, 'server.login'), 'apikey\nSG.x y');
    writeFileSync(join(folder, 'shop.test.login'), 'shop\nsecret\n');
    expect(fetchLogins('file', `${folder}/{relay}.login`)).toBe('');
    expect(secret('server')).toBe('apikey\nSG.x y\n');
    expect(secret('shop.test')).toMatch(/^shop\nsecret\n/);
  });

  it('comes from a command, which is told whose it is', () => {
    expect(fetchLogins('command', 'echo "$RELAY_NAME"; echo "secret of $RELAY_HOST"')).toBe('');
    expect(secret('shop.test')).toMatch(/^shop\.test\nsecret of relay\.shop\.test\n/);
  });

  it('that is not there, or not whole, is said so', () => {
    expect(fetchLogins('command', 'exit 1')).toContain('the login for smtp.relay.test cannot be fetched');
    expect(fetchLogins('command', 'echo token')).toContain('is not user name and password, a line each');
  });
});
