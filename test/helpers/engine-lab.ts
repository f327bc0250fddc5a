import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { RunEvent } from '../../src/apply/run-events.js';
import type { RunResult, ServerState } from '../../src/facts/server-state.js';
import type { ServerPlan } from '../../src/plan/build-server-plan.js';
import { cacheDirFrom, createLab, type Lab, type VpsImage } from '../../src/sandbox/index.js';
import type { EngineOrder } from './engine-client.js';

/** One line that the engine's test client printed. */
export interface EngineLine {
  plan?: ServerPlan;
  state?: ServerState;
  start?: string;
  event?: RunEvent;
  result?: RunResult;
  id?: string;
  roundTrips?: number;
  error?: { code: string; exit: number; message: string; evidence: string[]; fix: string[] };
}

export interface EngineOutcome {
  lines: EngineLine[];
  events: RunEvent[];
  plan: ServerPlan | undefined;
  state: ServerState | undefined;
  result: RunResult | undefined;
  error: EngineLine['error'];
  exit: number | null;
}

/** A client at work in the lab. */
export interface EngineClient {
  readonly process: ChildProcess;
  readonly lines: readonly EngineLine[];
  /** Resolves with the first line, past or future, that fits; rejects when the client ends without one. */
  saw(fits: (line: EngineLine) => boolean): Promise<EngineLine>;
  ended: Promise<EngineOutcome>;
}

export interface EngineLab {
  lab: Lab;
  start(order: Partial<EngineOrder>): Promise<EngineClient>;
  run(order: Partial<EngineOrder>): Promise<EngineOutcome>;
  /** Runs a shell command on the VPS, without SSH, and gives its output. */
  sh(command: string): Promise<string>;
}

const root = join(import.meta.dirname, '../..');

/** A lab with nothing but a VPS, and the engine's client bundled for it. */
export async function createEngineLab(
  name: string,
  image: VpsImage,
  cacheDir = cacheDirFrom(process.env),
): Promise<EngineLab> {
  const lab = await createLab({ name, image, cacheDir, services: [] });
  const bundle = join(lab.directory, 'engine-client.mjs');
  const banner = [
    "import { createRequire as r0 } from 'node:module';",
    "import { fileURLToPath as f0 } from 'node:url';",
    'const require = r0(import.meta.url), __filename = f0(import.meta.url), __dirname = f0(new URL(".", import.meta.url));',
  ];
  await build({
    entryPoints: [join(root, 'test/helpers/engine-client.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    loader: { '.node': 'empty' },
    external: ['cpu-features'],
    banner: { js: banner.join('\n') },
    logLevel: 'error',
  });
  let count = 0;
  const start = async (order: Partial<EngineOrder>): Promise<EngineClient> => {
    count += 1;
    const file = join(lab.directory, `order-${count}.json`);
    const full: EngineOrder = {
      target: `root@${lab.vps.ipv4}`,
      identity: lab.vps.sshKeyFile,
      hostKey: lab.vps.hostKeyFingerprint,
      homeDir: lab.directory,
      templates: join(root, 'templates/run'),
      components: [],
      keepaliveMs: 1000,
      ...order,
    };
    await writeFile(file, JSON.stringify(full));
    return watchClient(lab.client.spawn('node', [bundle, file]));
  };
  return {
    lab,
    start,
    run: async (order) => (await start(order)).ended,
    sh: async (command) => {
      const result = await lab.vps.exec(command);
      if (result.code !== 0) throw new Error(`${command}: ${result.stderr}`);
      return result.stdout.trim();
    },
  };
}

function watchClient(child: ChildProcess): EngineClient {
  const lines: EngineLine[] = [];
  const waiting = new Set<() => void>();
  let said = '';
  let over = false;
  const wake = () => {
    for (const check of [...waiting]) check();
  };
  child.stderr?.on('data', (chunk) => {
    said += String(chunk);
  });
  if (!child.stdout) throw new Error('the client has no output');
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    lines.push(JSON.parse(line) as EngineLine);
    wake();
  });
  const ended = new Promise<EngineOutcome>((resolve) => {
    child.on('close', (exit) => {
      over = true;
      wake();
      const find = <K extends keyof EngineLine>(key: K) =>
        lines.findLast((line) => line[key] !== undefined)?.[key];
      const error =
        find('error') ??
        (said === '' ? undefined : { code: 'stderr', exit: 1, message: said, evidence: [], fix: [] });
      const events = lines.flatMap(({ event }) => (event ? [event] : []));
      resolve({
        lines,
        events,
        plan: find('plan'),
        state: find('state'),
        result: find('result'),
        error,
        exit,
      });
    });
  });
  const saw = (fits: (line: EngineLine) => boolean) =>
    new Promise<EngineLine>((resolve, reject) => {
      const check = () => {
        const found = lines.find(fits);
        if (!found && !over) return;
        waiting.delete(check);
        if (found) resolve(found);
        else
          reject(new Error(`the client ended without that line: ${JSON.stringify(lines.slice(-3))} ${said}`));
      };
      waiting.add(check);
      check();
    });
  return { process: child, lines, saw, ended };
}
