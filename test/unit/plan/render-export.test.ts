import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { compileRuns } from '../../../src/plan/compile-runs.js';
import {
  type ExportInput,
  exportedId,
  renderExport,
  renderFirstStage,
} from '../../../src/plan/render-export.js';
import type { ServerStep } from '../../../src/plan/step.js';

const step: ServerStep = {
  id: 'files-demo',
  run: 'install',
  title: 'Configure the demo',
  reason: '1 new file',
  calls: [{ fn: 'put', args: ['/etc/demo.conf', '0644', 'root:root', 'absent'] }],
  files: [
    {
      path: '/etc/demo.conf',
      mode: '0644',
      owner: 'root:root',
      group: 'demo',
      content: '$HOME `id` \\ "x"\n',
    },
  ],
};
const runs = (steps: readonly ServerStep[]) =>
  compileRuns(steps, {
    idOf: exportedId,
    generation: 0,
    who: 'export',
    library: new Map([['core.sh', '# core\n']]),
  });
const input = (more: Partial<ExportInput> = {}): ExportInput => ({
  hostname: 'mail.example.org',
  os: { id: 'debian', version: '12' },
  runs: runs([step]),
  keys: [{ domain: 'example.org', selector: 's1' }],
  keySource: { kind: 'command', source: "vault read 'a b'" },
  logins: [{ name: 'server', host: 'smtp.relay.test' }],
  loginSource: { kind: 'file', source: '/root/{relay}' },
  texts: new Map([['boot.sh', 'true\n']]),
  wait: false,
  ...more,
});

/** Runs the part of the script that unpacks, in a folder of its own. */
function unpack(script: string) {
  const body = script.slice(script.indexOf('put() {'), script.indexOf('mv -T'));
  const program = `set -eu; base=$(mktemp -d)/export; mkdir -p "$base.new"\n${body}
    cd "$base.new"; cat settings keys logins install/files/etc/demo.conf; stat -c '%a %n' install/script settings; rm -r "$base.new"`;
  return spawnSync('sh', ['-c', program], { encoding: 'utf8' });
}

it('brings every file as it is, whatever stands in it, readable by root alone', () => {
  const { stdout, status } = unpack(renderExport(input()));
  expect(status).toBe(0);
  expect(stdout).toBe(
    "HOST=mail.example.org\nKEY_KIND=command\nKEY_SOURCE='vault read '\\''a b'\\'''\nLOGIN_KIND=file\nLOGIN_SOURCE='/root/{relay}'\nexample.org s1\nserver smtp.relay.test\n" +
      '$HOME `id` \\ "x"\n700 install/script\n600 settings\n',
  );
});

it('refuses a file that would not end where it should', () => {
  const [file] = step.files ?? [];
  if (file === undefined) throw new Error('no file');
  const cut = { ...step, files: [{ ...file, content: 'no newline at the end' }] };
  expect(() => renderExport(input({ runs: runs([cut]) }))).toThrow('here-document');
});

it('changes nothing on another release, nor without root', () => {
  const script = renderExport(input());
  const elsewhere = script.replace('. /etc/os-release', 'ID=debian VERSION_ID=11').replace('$(id -u)', '0');
  const refused = spawnSync('sh', ['-s'], { input: elsewhere, encoding: 'utf8' });
  expect(refused.status).toBe(5);
  expect(refused.stderr).toContain('exported for debian 12, and this is debian 11');
  const user = spawnSync('sh', ['-s'], { input: script.replace('$(id -u)', '1000'), encoding: 'utf8' });
  expect(user.status).toBe(1);
});

it('waits for the installation only where nobody waits for the boot', () => {
  expect(renderExport(input({ wait: true }))).toContain('done-install');
  expect(renderExport(input({ wait: false }))).not.toContain('done-install');
});

it('fits into user-data as a first stage, and runs only what was exported', () => {
  const stage = renderFirstStage('mail.example.org', "https://files.example.org/it's", 'a'.repeat(64));
  expect(stage.length).toBeLessThan(2000);
  expect(spawnSync('sh', ['-n'], { input: stage }).status).toBe(0);
  const program = stage
    .replace(/^bring\(\) \{[\s\S]*?^\}/m, 'bring() { echo "touch $HOME/ran" | gzip >"$file"; }')
    .replaceAll('/run/', '$HOME/')
    .replace('sleep 10', ':')
    .replace('in 1 2 3 4 5 6 7 8 9 10', 'in 1');
  const ran = spawnSync('sh', ['-c', `HOME=$(mktemp -d); export HOME\n(${program}); echo $?; ls "$HOME"`], {
    encoding: 'utf8',
  });
  expect(ran.stdout.trim()).toBe('1');
});
