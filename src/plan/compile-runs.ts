import { shellQuote } from '../lib/shell-quote.js';
import type { TarEntry } from '../lib/tar.js';
import {
  type Call,
  type ManagedFile,
  type RunName,
  type RunSecret,
  runNames,
  type ServerStep,
} from './step.js';

export interface CompileOptions {
  /** Names each run's directory; chosen outside because it holds the time: `20261124T101500Z-install-4f2a`. */
  idOf(run: RunName): string;
  /** Server generation the plan was made on; each run raises it by one. */
  generation: number;
  /** Shown to others while the run goes on: `user@machine pid 4242`. */
  who: string;
  /** The run library: file name → text of `templates/run/` (`core.sh`, …, `policy-rc.d`). */
  library: ReadonlyMap<string, string>;
  /** Secrets by run. */
  secrets?: Partial<Record<RunName, readonly RunSecret[]>>;
}

export interface CompiledRun {
  id: string;
  name: RunName;
  generation: number;
  /** What runs on the server, to be read by people too. */
  script: string;
  steps: readonly { number: number; id: string; title: string }[];
  /** Everything of the run directory, script included. */
  files: readonly TarEntry[];
  secrets: readonly RunSecret[];
  /** Maintainer scripts will run: service starts must be held back. */
  installs: boolean;
}

/** Sourced in this order; the components' own files follow by name. */
const coreLibrary = ['core.sh', 'manifest.sh', 'files.sh', 'units.sh', 'packages.sh'];
/** Lies beside the library and is run by systemd, not sourced. */
const notSourced = ['stop-post.sh'];

/** Compiles the plan's steps into at most three runs, in order; names without steps are left out. Pure. */
export function compileRuns(steps: readonly ServerStep[], options: CompileOptions): CompiledRun[] {
  return runNames
    .map((name) => ({ name, own: steps.filter((step) => step.run === name) }))
    .filter(({ own }) => own.length > 0)
    .map(({ name, own }, index) => compileRun(name, own, options, options.generation + index));
}

function compileRun(
  name: RunName,
  steps: readonly ServerStep[],
  options: CompileOptions,
  generation: number,
): CompiledRun {
  const id = options.idOf(name);
  if (!/^[0-9A-Za-z-]{1,60}$/.test(id)) throw new Error(`not a run id: ${id}`);
  const script = renderScript(id, name, steps, options, generation);
  const managed = steps.flatMap((step) => step.files ?? []);
  const secrets = options.secrets?.[name] ?? [];
  for (const secret of secrets) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/.test(secret.name))
      throw new Error(`not a secret's name: ${secret.name}`);
  }
  return {
    id,
    name,
    generation,
    script,
    steps: steps.map((step, index) => ({ number: index + 1, id: step.id, title: step.title })),
    files: [
      { path: 'script', mode: 0o700, content: script },
      { path: 'meta', mode: 0o600, content: renderMeta(id, name, options.who, generation) },
      ...[...options.library].map(([file, content]) => ({
        path: `lib/${file}`,
        mode: file === 'policy-rc.d' ? 0o755 : 0o600,
        content,
      })),
      ...managed.map(fileEntry),
    ],
    secrets,
    installs: steps.some((step) => step.calls.some((call) => call.fn === 'packages_install')),
  };
}

function renderMeta(id: string, name: string, who: string, generation: number): string {
  const line = who.replace(/[^\x20-\x7e]/g, '?').slice(0, 120);
  return `id=${id}\nname=${name}\nwho=${line}\ngeneration=${generation}\n`;
}

function fileEntry(file: ManagedFile): TarEntry {
  if (!/^(\/[A-Za-z0-9_@+][A-Za-z0-9._@+-]*)+$/.test(file.path))
    throw new Error(`not a managed path: ${file.path}`);
  // Mode and owner of the target are set when the file is staged; until then only root reads it.
  return { path: `files${file.path}`, mode: 0o600, content: file.content };
}

function renderScript(
  id: string,
  name: RunName,
  steps: readonly ServerStep[],
  options: CompileOptions,
  generation: number,
): string {
  const others = [...options.library.keys()]
    .filter((file) => file.endsWith('.sh') && ![...coreLibrary, ...notSourced].includes(file))
    .sort();
  const lines = [
    '#!/bin/sh',
    `# smtp-setup run ${id}, ${name}, planned on generation ${generation} of this server:`,
    ...steps.map((step, index) => `#  ${index + 1}. ${comment(step.title)}`),
    '# It only calls functions of lib/*.sh; each looks first and skips what is done. Events, log and result lie beside it.',
    'set -u',
    `RUN_DIR=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1`,
    ...[...coreLibrary, ...others].map((file) => `. "$RUN_DIR/lib/${file}"`),
    '',
    `run_begin ${[id, name, String(generation), String(steps.length)].map(shellQuote).join(' ')}`,
  ];
  let together = true;
  for (const [index, step] of steps.entries()) {
    const aside = step.after !== undefined;
    if (!aside && !together) lines.push('', 'together');
    together = !aside;
    lines.push('', ...(aside ? renderAside(index, steps) : renderStep(index, step)));
  }
  return [...lines, '', 'run_end', ''].join('\n');
}

function renderStep(index: number, step: ServerStep): string[] {
  return [
    `step ${index + 1} ${shellQuote(step.id)} ${shellQuote(step.title)}`,
    ...step.calls.map(renderCall),
    'step_done',
  ];
}

/** In a subshell of its own, which waits for the steps that it needs. Those before the last `together` are done. */
function renderAside(index: number, steps: readonly ServerStep[]): string[] {
  const step = steps[index];
  if (step?.after === undefined) return [];
  const begun = steps.slice(0, index);
  const since = begun.findLastIndex(({ after }) => after === undefined) + 1;
  const needed = step.after.map((id) => begun.findIndex((other) => other.id === id));
  const numbers = needed.filter((found) => found >= since).map((found) => found + 1);
  return [
    '(',
    ['after', ...numbers].join(' '),
    ...(step.mayFail === true ? ['may_fail'] : []),
    ...renderStep(index, step),
    `) & aside ${index + 1}`,
  ];
}

function renderCall(call: Call): string {
  if (!/^[a-z][a-z0-9_]*$/.test(call.fn)) throw new Error(`not a library function: ${call.fn}`);
  return ['call', call.fn, ...call.args.map(shellQuote)].join(' ');
}

/** A title inside a comment: a newline would end the comment and start a command. */
function comment(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, ' ');
}
