import { execFileSync } from 'node:child_process';
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
    `[ -s "${server.root}${undo}" ] && printf '%s\\n' "$@" >"${server.root}/arguments"`,
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

it('leaves neither timer nor files behind', async () => {
  await callLibrary(server, [['firewall_keep', '180']]);
  server.activate('smtp-setup-firewall-deadman.timer');
  server.program('ufw', 'exit 0');
  expect(await callLibrary(server, [['firewall_leave']])).toMatchObject({ status: 0 });
  expect(server.isActive('smtp-setup-firewall-deadman.timer')).toBe(false);
  expect([server.read(undo), server.read(before)]).toEqual([undefined, undefined]);
});
