import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const tools = [
  { name: 'types', command: ['npx', 'tsc', '--noEmit', '-p', '.'] },
  { name: 'format and lint', command: ['npx', 'biome', 'ci', '--colors=off'] },
  { name: 'import rules', command: ['node', 'scripts/check-imports.mjs'] },
  { name: 'unused code', command: ['npx', 'knip', '--no-progress'] },
  // SC2034: the files of the run library use each other's variables.
  {
    name: 'shell scripts',
    command: [
      'sh',
      '-c',
      'shellcheck .ci/run && shellcheck -s dash -S warning -e SC2034 templates/run/*.sh templates/backup/*.sh templates/export/*.sh',
    ],
    needs: 'shellcheck',
  },
];

/** Runs every static check, whatever the others say, and prints what the failing ones said. */
export async function runChecks(write) {
  const results = await Promise.all(tools.map(runTool));
  for (const { name, state, output } of results) {
    write(`${state === 'failed' ? 'FAILED' : state === 'left out' ? 'LEFT OUT' : 'ok'}  ${name}\n`);
    if (state !== 'passed') write(`${output.trim()}\n\n`);
  }
  return {
    passed: results.filter(({ state }) => state === 'passed').length,
    failed: results.filter(({ state }) => state === 'failed').length,
  };
}

async function runTool({ name, command: [program, ...args], needs }) {
  if (needs !== undefined && (await capture('sh', ['-c', `command -v ${needs}`])).code !== 0) {
    return { name, state: 'left out', output: `${needs} is not installed` };
  }
  const { code, output } = await capture(program, args);
  return { name, state: code === 0 ? 'passed' : 'failed', output };
}

function capture(program, args) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        output += chunk;
      });
    }
    child.on('error', (error) => resolve({ code: 1, output: String(error) }));
    child.on('close', (code) => resolve({ code, output }));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { failed } = await runChecks((text) => process.stdout.write(text));
  process.exitCode = failed === 0 ? 0 : 1;
}
