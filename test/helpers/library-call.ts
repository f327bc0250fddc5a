import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellQuote } from '../../src/lib/shell-quote.js';
import type { LocalServer } from './local-run.js';

export interface CallOutcome {
  status: number;
  /** What the function said with `problem`. */
  problem: string;
  changed: boolean;
  output: string;
}

const templates = join(import.meta.dirname, '../../templates/run');

/**
 * Calls functions of the run library one after the other, in one real sh, on a LocalServer's tree; without the frame of
 * a whole run, which costs more than what is tested. Ends at the first that fails.
 */
export async function callLibrary(
  server: LocalServer,
  calls: readonly (readonly [fn: string, ...args: string[]])[],
  secrets: Readonly<Record<string, string>> = {},
): Promise<CallOutcome> {
  const runtime = join(server.base, 'runtime', 'call');
  mkdirSync(join(runtime, 'secrets'), { recursive: true });
  for (const [name, value] of Object.entries(secrets)) {
    writeFileSync(join(runtime, 'secrets', name), `${value}\n`);
  }
  const script = `set -u
umask 077
for file in "$1"/*.sh; do
  case \${file##*/} in start.sh | stop-post.sh) ;; *) . "$file" ;; esac
done
RUN_ID=call RUN_DIR=$2 SECRETS=$2/secrets EVENTS=$2/events STEP=1 STEP_CHANGED=0 PROBLEM=''
${calls.map((call) => call.map(shellQuote).join(' ')).join(' &&\n')}
printf '\\n@status %s\\n@changed %s\\n@problem %s\\n' "$?" "$STEP_CHANGED" "$PROBLEM"
`;
  const child = spawn('sh', ['-c', script, 'sh', templates, runtime], {
    env: {
      PATH: `${server.base}/bin:${process.env.PATH}`,
      SMTP_SETUP_STATE: server.state,
      SMTP_SETUP_RUNTIME: join(server.base, 'runtime'),
      SMTP_SETUP_ROOT: server.root,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data;
    });
  }
  await new Promise((resolve) => child.on('close', resolve));
  const field = (name: string) => new RegExp(`^@${name} (.*)$`, 'm').exec(output)?.[1];
  if (field('status') === undefined) throw new Error(`the library ended the shell: ${output}`);
  return {
    status: Number(field('status')),
    problem: field('problem') ?? '',
    changed: field('changed') === '1',
    output: output.replace(/\n@status[\s\S]*$/, ''),
  };
}
