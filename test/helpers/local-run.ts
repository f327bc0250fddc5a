import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseManifest, parseResult, type RunResult } from '../../src/facts/server-state.js';
import { type CompiledRun, compileRuns } from '../../src/plan/compile-runs.js';
import type { Call, ManagedFile, RunSecret, ServerStep } from '../../src/plan/step.js';

const templates = join(import.meta.dirname, '../../templates/run');

/** Texts of the run library, as a run carries them. */
export const library: ReadonlyMap<string, string> = new Map(
  readdirSync(templates)
    .filter((name) => (name.endsWith('.sh') && name !== 'start.sh') || name === 'policy-rc.d')
    .map((name) => [name, readFileSync(join(templates, name), 'utf8')]),
);

/** Who the tests run as: files of other owners would need root. */
export const owner = `${spawnSync('id', ['-un']).stdout.toString().trim()}:${spawnSync('id', ['-gn']).stdout.toString().trim()}`;

export interface LocalOutcome {
  status: number | null;
  result: RunResult | undefined;
  events: string[][];
  log: string;
}

/**
 * A directory that stands for a server: runs are executed in it by the real library with the real sh, and only
 * systemctl is a stand-in, which writes down how it was called.
 */
export class LocalServer {
  // In memory where there is such a place: the library syncs every file, and a busy disk makes that slow.
  readonly base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'smtp-setup-run-'));
  readonly root = join(this.base, 'root');
  readonly state = join(this.base, 'state');
  readonly #runtime = join(this.base, 'runtime');
  readonly #bin = join(this.base, 'bin');
  #count = 0;

  constructor() {
    for (const path of [this.root, this.state, this.#runtime, this.#bin])
      mkdirSync(path, { recursive: true });
    this.program(
      'systemctl',
      `printf '%s\\n' "$*" >>"${this.base}/systemctl.log"
case $1 in
  is-active) [ -e "${this.base}/active/$3" ] ;;
  is-enabled) echo enabled ;;
  start|restart) mkdir -p "${this.base}/active"; : >"${this.base}/active/$2"; [ ! -e "${this.base}/refuse-$2" ] ;;
  reload) [ ! -e "${this.base}/refuse-$2" ] ;;
  stop) rm -f "${this.base}/active/$2" ;;
esac`,
    );
  }

  /** Puts a program in front of the machine's own. */
  program(name: string, body: string): void {
    writeFileSync(join(this.#bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(this.#bin, name), 0o755);
  }

  activate(unit: string): void {
    mkdirSync(join(this.base, 'active'), { recursive: true });
    writeFileSync(join(this.base, 'active', unit), '');
  }

  /** The unit's next reload or start fails. */
  refuse(unit: string): void {
    writeFileSync(join(this.base, `refuse-${unit}`), '');
  }

  isActive(unit: string): boolean {
    return existsSync(join(this.base, 'active', unit));
  }

  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(this.root + path), { recursive: true });
    writeFileSync(this.root + path, content);
    chmodSync(this.root + path, mode);
  }

  read(path: string): string | undefined {
    return existsSync(this.root + path) ? readFileSync(this.root + path, 'utf8') : undefined;
  }

  modeOf(path: string): string {
    return (statSync(this.root + path).mode & 0o7777).toString(8);
  }

  /** Every file of the server's tree, relative to its root. */
  tree(path = this.root): string[] {
    return readdirSync(path, { withFileTypes: true, recursive: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length))
      .sort();
  }

  get systemctlCalls(): string[] {
    const file = join(this.base, 'systemctl.log');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    return lines.filter((line) => /^(start|stop|restart|reload|daemon-reload|enable)/.test(line));
  }

  get manifest() {
    const file = join(this.state, 'manifest.json');
    return existsSync(file) ? parseManifest(readFileSync(file, 'utf8')) : 'absent';
  }

  get pending(): string[] {
    return existsSync(join(this.state, 'pending')) ? readdirSync(join(this.state, 'pending')) : [];
  }

  get secretsLeft(): string[] {
    return readdirSync(this.#runtime).filter((name) => name !== 'active-services');
  }

  compile(
    steps: readonly ServerStep[],
    generation: number,
    secrets: readonly RunSecret[] = [],
    more: Record<string, string> = {},
  ): CompiledRun {
    this.#count += 1;
    const id = `2026112${this.#count}T000000Z-install-1`;
    const texts = new Map([...library, ...Object.entries(more)]);
    const options = {
      idOf: () => id,
      generation,
      who: 'tester@lab pid 1',
      library: texts,
      secrets: { install: secrets },
    };
    const [run] = compileRuns(steps, options);
    if (!run) throw new Error('nothing to run');
    const directory = join(this.state, 'runs', run.id);
    for (const file of run.files) {
      mkdirSync(dirname(join(directory, file.path)), { recursive: true });
      writeFileSync(join(directory, file.path), file.content ?? '');
    }
    mkdirSync(join(this.#runtime, run.id, 'secrets'), { recursive: true });
    for (const { name, value } of secrets) writeFileSync(join(this.#runtime, run.id, 'secrets', name), value);
    return run;
  }

  start(run: CompiledRun) {
    const log = join(this.state, 'runs', run.id, 'log');
    return spawn(
      'sh',
      ['-c', `exec sh "$1" >"$2" 2>&1`, 'sh', join(this.state, 'runs', run.id, 'script'), log],
      {
        env: {
          PATH: `${this.#bin}:${process.env.PATH}`,
          SMTP_SETUP_STATE: this.state,
          SMTP_SETUP_RUNTIME: this.#runtime,
          SMTP_SETUP_ROOT: this.root,
          SMTP_SETUP_LOCK_PATIENCE: '0',
        },
      },
    );
  }

  outcome(run: CompiledRun, status: number | null): LocalOutcome {
    const directory = join(this.state, 'runs', run.id);
    const read = (name: string) =>
      existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8') : '';
    return {
      status,
      result: parseResult(read('result')),
      events: read('events')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t').slice(1)),
      log: read('log'),
    };
  }

  async execute(
    steps: readonly ServerStep[],
    generation = 0,
    secrets: readonly RunSecret[] = [],
    more: Record<string, string> = {},
  ): Promise<LocalOutcome> {
    const run = this.compile(steps, generation, secrets, more);
    const child = this.start(run);
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return this.outcome(run, status);
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

export function file(path: string, content: string, mode = '0644'): ManagedFile {
  return { path, content, mode, owner, group: 'demo' };
}

export function step(id: string, calls: readonly Call[], files: readonly ManagedFile[] = []): ServerStep {
  return { id, run: 'install', title: `Title of ${id}`, reason: 'test', calls, files };
}

export function call(fn: string, ...args: string[]): Call {
  return { fn, args };
}
