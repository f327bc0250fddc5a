import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const boot = readFileSync('templates/export/boot.sh', 'utf8');

/** One function of the script that an exported server runs, beside stand-ins for the programs that it asks. */
function call(name: string, standIns: string): string {
  const body = new RegExp(`^${name}\\(\\) \\{\\n[\\s\\S]*?^\\}`, 'm').exec(boot)?.[0];
  if (body === undefined) throw new Error(`no function ${name}`);
  const program = `say() { echo "said: $*"; }\n${standIns}\n${body}\n${name}\n`;
  return spawnSync('sh', ['-u', '-c', program], { encoding: 'utf8' }).stdout;
}

const armed = 'systemctl() { case $1 in is-active) true ;; *) echo "systemctl $*" ;; esac; }';
const rules = (ports: string) => `nft() { echo '	tcp dport ${ports} accept comment "SSH"'; }`;
const listensOn = (...ports: number[]) =>
  `sshd() { printf '%s\\n' ${ports.map((port) => `'port ${port}'`).join(' ') || 'x'}; }`;
const stopped = 'systemctl stop smtp-setup-firewall-deadman.timer\n';

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
