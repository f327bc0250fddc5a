import type { Probe } from './probe.js';
import { readAssignments, readLines, readNumber } from './text.js';

export interface ManifestEntry {
  path: string;
  sha256: string;
  mode: string;
  owner: string;
  group: string;
}

/** What smtp-setup wrote on the server, as its manifest says. */
export interface Manifest {
  schema: number;
  generation: number;
  files: readonly ManifestEntry[];
}

/** A run that goes on right now. */
export interface RunningRun {
  id: string;
  name: string;
  /** `user@machine pid N`, as the client that started it called itself. */
  who: string;
  /** Seconds since 1970. */
  since?: number;
}

export interface RunRecord extends RunningRun {
  /** Undefined: it ended without a result (reboot, kill) or still runs. */
  result?: RunResult;
}

export interface RunResult {
  run: string;
  code: number;
  generation: number;
  changed: boolean;
  step: number;
  stepId: string;
  boot: string;
  finished: number;
  message: string;
}

export interface ServerState {
  /** `corrupt`: a manifest is there and cannot be read; then no file counts as ours. */
  manifest: Manifest | 'absent' | 'corrupt';
  /** Raised by every run; read as the run library reads it, so that a corrupt manifest does not lock us out. */
  generation: number;
  /** File groups that were swapped and never proven: a run died in between. */
  pending: readonly string[];
  running?: RunningRun;
  /** The last runs, oldest first. */
  runs: readonly RunRecord[];
}

/** The manifest schema that this version writes and understands. */
export const manifestSchema = 1;

export const serverState: Probe<ServerState> = {
  script: `cd /var/lib/smtp-setup || exit 0
for name in $(ls runs | tail -n 5); do
  echo "@run $name"; cat "runs/$name/meta"; echo @result; cat "runs/$name/result"
done
echo @pending; ls pending
echo @running; systemctl show -p ActiveState -p Description smtp-setup-run.service
[ -e manifest.json ] && { echo @manifest; head -c 900000 manifest.json; }
true`,
  parse({ stdout }) {
    const at = stdout.indexOf('\n@manifest\n');
    const head = at < 0 ? stdout : stdout.slice(0, at);
    const sections = readSections(head);
    const runs = readRuns(sections);
    const shown = readAssignments(sections.find(([title]) => title === 'running')?.[1] ?? '');
    const active = ['active', 'activating', 'deactivating'].includes(shown.get('ActiveState') ?? '');
    const id = /^smtp-setup run (\S+)$/.exec(shown.get('Description') ?? '')?.[1] ?? 'unknown';
    const running = runs.find((run) => run.id === id) ?? { id, name: 'unknown', who: 'unknown' };
    const text = at < 0 ? undefined : stdout.slice(at + '\n@manifest\n'.length);
    return {
      manifest: text === undefined ? 'absent' : parseManifest(text),
      generation: readNumber(/^"generation":(\d+),$/m.exec(text ?? '')?.[1]) ?? 0,
      pending: readLines(sections.find(([title]) => title === 'pending')?.[1] ?? ''),
      ...(active ? { running: withoutResult(running) } : {}),
      runs,
    };
  },
};

/** Reads `manifest.json`; a newer schema is read as far as its generation, the plan refuses it. */
export function parseManifest(text: string): Manifest | 'corrupt' {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'corrupt';
  }
  if (!isObject(value)) return 'corrupt';
  const { schema, generation, files } = value;
  if (!isCount(schema) || !isCount(generation)) return 'corrupt';
  if (schema > manifestSchema) return { schema, generation, files: [] };
  if (!Array.isArray(files) || !files.every(isEntry)) return 'corrupt';
  return { schema, generation, files };
}

/** Reads a run's `meta` file. */
export function parseRunMeta(id: string, text: string): RunningRun {
  const meta = readAssignments(text);
  const since = readNumber(meta.get('since'));
  return {
    id,
    name: meta.get('name') ?? 'unknown',
    who: meta.get('who') ?? 'unknown',
    ...(since === undefined ? {} : { since }),
  };
}

/** Reads a run's `result` file; undefined when it is not one. */
export function parseResult(text: string): RunResult | undefined {
  const values = readAssignments(text);
  const code = readNumber(values.get('code'));
  const generation = readNumber(values.get('generation'));
  if (code === undefined || generation === undefined) return undefined;
  return {
    run: values.get('run') ?? '',
    code,
    generation,
    changed: values.get('changed') === '1',
    step: readNumber(values.get('step')) ?? 0,
    stepId: values.get('step_id') ?? '',
    boot: values.get('boot') ?? '',
    finished: readNumber(values.get('finished')) ?? 0,
    message: values.get('message') ?? '',
  };
}

function readSections(text: string): [title: string, body: string][] {
  const sections: [string, string][] = [];
  for (const line of readLines(text)) {
    const title = /^@(run \S+|result|pending|running)$/.exec(line)?.[1];
    const last = sections.at(-1);
    if (title !== undefined) sections.push([title, '']);
    else if (last) last[1] += `${line}\n`;
  }
  return sections;
}

function readRuns(sections: readonly [string, string][]): RunRecord[] {
  return sections.flatMap(([title, body], index) => {
    const id = /^run ([0-9A-Za-z-]{1,60})$/.exec(title)?.[1];
    if (id === undefined) return [];
    const next = sections[index + 1];
    const result = next?.[0] === 'result' ? parseResult(next[1]) : undefined;
    return [{ ...parseRunMeta(id, body), ...(result === undefined ? {} : { result }) }];
  });
}

function withoutResult({ id, name, who, since }: RunningRun): RunningRun {
  return { id, name, who, ...(since === undefined ? {} : { since }) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isEntry(value: unknown): value is ManifestEntry {
  return (
    isObject(value) &&
    ['path', 'mode', 'owner', 'group'].every((name) => typeof value[name] === 'string') &&
    typeof value.sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(value.sha256)
  );
}
