import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { callLibrary } from '../../helpers/library-call.js';
import { LocalServer } from '../../helpers/local-run.js';

const undo = '/run/smtp-setup-firewall.undo';
const before = '/run/smtp-setup-firewall.before';
const fired = '/run/smtp-setup-firewall.fired';

let server: LocalServer;
beforeEach(() => {
  server = new LocalServer();
  // The file is there when the timer starts, which may be at once.
  server.program(
    'systemd-run',
    `mkdir -p "${server.base}/active" && : >"${server.base}/active/smtp-setup-firewall-deadman.timer"
[ -s "${server.root}${undo}" ] && printf '%s\\n' "$@" >"${server.root}/arguments"`,
  );
  server.program('nft', `echo "nft $*" >>"${server.base}/systemctl.log"`);
  server.write(before, 'table inet smtp_setup\n');
});
afterEach(() => server.remove());

it('hands systemd no word that it would read differently from its own unit file', async () => {
  expect(await callLibrary(server, [['firewall_keep', '180']])).toMatchObject({ status: 0, changed: true });
  const words = (server.read('/arguments') ?? '').trim().split('\n');
  expect(words.slice(-2)).toEqual(['/bin/sh', `${server.root}${undo}`]);
  expect(words.filter((word) => /[;$%\\"']/.test(word))).toEqual([]);
});

it('the timer switches the unit off and loads what was proven last; nobody else may write there', async () => {
  await callLibrary(server, [['firewall_keep', '180']]);
  expect(server.modeOf(undo)).toBe('600');
  const log = () => execFileSync('cat', [`${server.base}/systemctl.log`], { encoding: 'utf8' });
  const armed = log();
  execFileSync('sh', [`${server.root}${undo}`], { env: { PATH: `${server.base}/bin:${process.env.PATH}` } });
  expect(log().slice(armed.length)).toBe(
    `disable --now smtp-setup-firewall.service\nnft -f ${server.root}${before}\n`,
  );
  // A login after that is told so; one after the next change of rules is not.
  expect(server.read(fired)).toBe('');
  await callLibrary(server, [['firewall_keep', '180']]);
  expect(server.read(fired)).toBeUndefined();
});

it.each([
  ['keep', [['firewall_keep', '180']]],
  ['load', [['firewall_load', '180']]],
  [
    'probe',
    [
      ['firewall_arm', '180'],
      ['firewall_probe', '22'],
    ],
  ],
] as const)('no reboot brings rules back that no login has proven: %s', async (_, calls) => {
  server.activate('smtp-setup-firewall-deadman.timer');
  server.program('nft', `echo 'policy drop'; echo 'tcp dport { 22 } accept'`);
  expect(await callLibrary(server, calls)).toMatchObject({ status: 0 });
  const log = readFileSync(`${server.base}/systemctl.log`, 'utf8').trim().split('\n');
  expect(log.at(-1)).toBe('disable smtp-setup-firewall.service');
});

it('what is proven stays enabled', async () => {
  server.program('nft', `echo 'policy drop'; echo 'tcp dport { 22 } accept'`);
  expect(await callLibrary(server, [['firewall_probe', '22']])).toMatchObject({ status: 0 });
  expect(readFileSync(`${server.base}/systemctl.log`, 'utf8')).not.toContain('disable');
});

it('leaves neither timer nor files behind', async () => {
  await callLibrary(server, [['firewall_keep', '180']]);
  server.activate('smtp-setup-firewall-deadman.timer');
  server.program('ufw', 'exit 0');
  expect(await callLibrary(server, [['firewall_leave']])).toMatchObject({ status: 0 });
  expect(server.isActive('smtp-setup-firewall-deadman.timer')).toBe(false);
  expect([server.read(undo), server.read(before)]).toEqual([undefined, undefined]);
});
