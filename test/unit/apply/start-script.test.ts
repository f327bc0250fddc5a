import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiveOf } from '../../../src/apply/start-run.js';
import { compileRuns } from '../../../src/plan/compile-runs.js';
import { LocalServer, library } from '../../helpers/local-run.js';

const script = readFileSync(new URL('../../../templates/run/start.sh', import.meta.url), 'utf8');
const id = '20261124T101500Z-install-7';
const calls = [{ fn: 'packages_install', args: ['postfix'] }];
const [run] = compileRuns([{ id: 'x', run: 'install', title: 'X', reason: '', calls }], {
  idOf: () => id,
  generation: 0,
  who: 'ada@laptop pid 7',
  library,
  secrets: { install: [{ name: 'token', value: 'marker-55aa' }] },
});
const archive = archiveOf(run as NonNullable<typeof run>);

let server: LocalServer;
beforeEach(() => {
  server = new LocalServer();
  server.program(
    'systemctl',
    `case "$*" in *ActiveState*) cat "${server.base}/active-state" 2>/dev/null || echo inactive ;; *Description*) echo "smtp-setup run other-run" ;; esac`,
  );
  server.program(
    'systemd-run',
    `for a; do printf '%s\\n' "$a"; done >>"${server.base}/arguments"; . "${server.base}/systemd-run.sh"`,
  );
  writeFileSync(join(server.base, 'systemd-run.sh'), ':\n');
});
afterEach(() => server.remove());

const runtime = () => join(server.base, 'runtime');

function start(input: Buffer = archive, installs = '1', through: readonly string[] = []): string {
  const [program = '', ...words] = [...through, 'sh', '-c', script, 'start', id, installs];
  const result = spawnSync(program, words, {
    input,
    env: {
      PATH: process.env.PATH ?? '',
      SMTP_SETUP_PATH: `${server.base}/bin:${process.env.PATH}`,
      SMTP_SETUP_ROOT: server.root,
      SMTP_SETUP_STATE: server.state,
      SMTP_SETUP_RUNTIME: runtime(),
    },
  });
  return result.stdout.toString().trim();
}

/** The last call of systemd-run: the words after its last `--quiet`. */
function lastArguments(): string[] {
  const words = readFileSync(join(server.base, 'arguments'), 'utf8').split('\n');
  return words.slice(words.lastIndexOf('--quiet'));
}

describe('starting a run', () => {
  it('notes where its login came from, which sudo does not hand on', () => {
    // A shell that has it in its environment, and stays the parent of one that has not.
    const login = 'env -u SSH_CONNECTION "$@"; exit $?';
    expect(
      start(archive, '1', [
        'env',
        'SSH_CONNECTION=2001:db8::7 50022 192.0.2.1 22',
        'sh',
        '-c',
        login,
        'login',
      ]),
    ).toBe('@started');
    expect(readFileSync(join(runtime(), 'operator'), 'utf8')).toBe('2001:db8::7\n');
  });

  it('waits for one that is over and only being cleaned away, and for nobody else', () => {
    mkdirSync(join(server.state, 'runs/other-run'), { recursive: true });
    server.program(
      'systemctl',
      `case "$*" in
  *ActiveState*) echo x >>"${server.base}/asked"; [ "$(wc -l <"${server.base}/asked")" -gt 3 ] && echo inactive || echo deactivating ;;
  *Description*) [ "$(wc -l <"${server.base}/asked")" -gt 2 ] && echo smtp-setup-run.service || echo "smtp-setup run other-run" ;;
esac`,
    );
    expect(start()).toBe('@busy other-run');
    writeFileSync(join(server.base, 'asked'), '');
    writeFileSync(join(server.state, 'runs/other-run/result'), 'code=0\n');
    expect(start()).toBe('@started');
  });

  it('unpacks the run for good and the secrets for the time of the run', () => {
    expect(start()).toBe('@started');
    expect(existsSync(join(server.state, 'runs', id, 'script'))).toBe(true);
    expect(readFileSync(join(server.state, 'runs', id, 'meta'), 'utf8')).toMatch(
      /^who=ada@laptop pid 7\n.*\nsince=\d+\n$/ms,
    );
    expect(readFileSync(join(runtime(), id, 'secrets/token'), 'utf8')).toBe('marker-55aa');
    const kept = readdirSync(server.state, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(
      kept.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8')).join(),
    ).not.toContain('marker-55aa');
    expect(readFileSync(join(server.base, 'arguments'), 'utf8')).not.toContain('marker-55aa');
  });

  it('asks systemd for a unit that nobody stops, restarts or reads, and that cleans up after itself', () => {
    start();
    const words = lastArguments();
    for (const word of [
      '--unit=smtp-setup-run.service',
      `--description=smtp-setup run ${id}`,
      '--collect',
      '--service-type=exec',
      'RefuseManualStop=yes',
      'KillMode=mixed',
      'TimeoutStopSec=15min',
      'OOMPolicy=continue',
      'UMask=0077',
      `StandardOutput=append:${server.state}/runs/${id}/log`,
      `ExecStopPost=/bin/sh ${server.state}/runs/${id}/lib/stop-post.sh ${runtime()}/${id}`,
      `BindReadOnlyPaths=${server.state}/runs/${id}/lib/policy-rc.d:/usr/sbin/policy-rc.d`,
      '--setenv=HOME=/root',
    ]) {
      expect(words).toContain(word);
    }
    // systemd 252 forgets commands with a "+" at the first daemon-reload.
    expect(words.join('\n')).not.toContain('ExecStopPost=+');
  });

  it('holds service starts back only when packages are installed', () => {
    start(archive, '0');
    expect(lastArguments().join('\n')).not.toContain('policy-rc.d:');
  });

  it('goes without a property that an older systemd does not know', () => {
    writeFileSync(
      join(server.base, 'systemd-run.sh'),
      'case "$*" in *RefuseManualStop*) echo "Unknown assignment: RefuseManualStop=yes" >&2; exit 1 ;; *OOMPolicy*) echo "Failed to start transient service unit: Cannot set property OOMPolicy, or unknown property." >&2; exit 1 ;; esac\n',
    );
    expect(start()).toBe('@started');
    const words = lastArguments().join('\n');
    expect(words).not.toMatch(/RefuseManualStop|OOMPolicy/);
    expect(words).toContain('KillMode=mixed');
  });

  it('does not go without what keeps secrets and services safe', () => {
    writeFileSync(
      join(server.base, 'systemd-run.sh'),
      'echo "Unknown assignment: ExecStopPost=/bin/sh" >&2; exit 1\n',
    );
    expect(start()).toMatch(/^@failed systemd-run: Unknown assignment: ExecStopPost/);
    expect(existsSync(join(runtime(), id))).toBe(false);
    expect(readdirSync(join(server.state, 'runs'))).toEqual([]);
  });

  it('says who is busy and leaves nothing behind', () => {
    writeFileSync(join(server.base, 'active-state'), 'active\n');
    expect(start()).toBe('@busy other-run');
    expect(existsSync(join(server.base, 'arguments'))).toBe(false);
    expect(existsSync(join(runtime(), id))).toBe(false);
  });

  it("loses the race for the unit's name without harm", () => {
    writeFileSync(
      join(server.base, 'systemd-run.sh'),
      `echo active >"${server.base}/active-state"; echo "Failed to start transient service unit: Unit smtp-setup-run.service already exists." >&2; exit 1\n`,
    );
    expect(start()).toBe('@busy other-run');
    expect(existsSync(join(runtime(), id))).toBe(false);
  });

  it('goes on with a unit that systemd started and was late to say so', () => {
    writeFileSync(
      join(server.base, 'systemd-run.sh'),
      `echo active >"${server.base}/active-state"; echo "Failed to start transient service unit: Connection timed out" >&2; exit 1\n`,
    );
    server.program(
      'systemctl',
      `case "$*" in *ActiveState*) cat "${server.base}/active-state" 2>/dev/null || echo inactive ;; *Description*) echo "smtp-setup run ${id}" ;; esac`,
    );
    expect(start()).toBe('@started');
    expect(existsSync(join(server.state, 'runs', id, 'script'))).toBe(true);
    expect(existsSync(join(runtime(), id, 'secrets/token'))).toBe(true);
  });

  it('keeps what such a unit wrote, when that is over already', () => {
    writeFileSync(
      join(server.base, 'systemd-run.sh'),
      `: >"${server.state}/runs/${id}/events"; echo "Failed to start transient service unit: Connection timed out" >&2; exit 1\n`,
    );
    expect(start()).toBe('@started');
    expect(existsSync(join(server.state, 'runs', id, 'events'))).toBe(true);
  });

  it('does not start twice when it is asked again', () => {
    start();
    const before = readFileSync(join(server.base, 'arguments'), 'utf8');
    expect(start()).toBe('@started');
    expect(readFileSync(join(server.base, 'arguments'), 'utf8')).toBe(before);
  });

  it('refuses an upload that was cut, wherever', () => {
    for (const length of [0, 512, 2048, archive.length - 1536 - 512]) {
      expect(start(archive.subarray(0, length)), String(length)).toMatch(/^@failed the upload/);
      expect(existsSync(join(runtime(), id))).toBe(false);
    }
    expect(existsSync(join(server.base, 'arguments'))).toBe(false);
  });

  it('clears what killed runs left behind', () => {
    mkdirSync(join(runtime(), 'dead-run/secrets'), { recursive: true });
    mkdirSync(join(server.state, 'runs/half.new'), { recursive: true });
    expect(start()).toBe('@started');
    expect(existsSync(join(runtime(), 'dead-run'))).toBe(false);
    expect(existsSync(join(server.state, 'runs/half.new'))).toBe(false);
  });

  it('leaves the script of a check alone, without which its mailbox goes', () => {
    server.write('/../runtime/checks/smtp-setup-check-00c0ffee.sh', '');
    expect(start()).toBe('@started');
    expect(readdirSync(join(runtime(), 'checks'))).toEqual(['smtp-setup-check-00c0ffee.sh']);
  });
});
