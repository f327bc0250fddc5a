import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkCommand } from '../../../src/cli/commands/check.js';
import { configSchema } from '../../../src/config/schema.js';

interface Action {
  inputs: Record<string, { description: string }>;
  runs: { steps: { run?: string; env?: Record<string, string> }[] };
}
const action = parse(readFileSync('action.yml', 'utf8')) as Action;
const step = action.runs.steps.find(({ run }) => run !== undefined);
const script = step?.run ?? '';

function runAction(env: Record<string, string>, exit = 0) {
  const folder = mkdtempSync(join(tmpdir(), 'action-'));
  try {
    const npx = join(folder, 'npx');
    writeFileSync(npx, `#!/bin/sh\nprintf '%s\\n' "$@"\nexit ${exit}\n`);
    chmodSync(npx, 0o755);
    const output = join(folder, 'output');
    writeFileSync(output, '');
    const { stdout, status } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], {
      encoding: 'utf8',
      env: { PATH: `${folder}:${process.env.PATH}`, GITHUB_OUTPUT: output, ...env },
    });
    return { arguments: stdout.trim().split('\n'), status, output: readFileSync(output, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('passes every input on, as data', () => {
  const evil = 'example.org"; touch /tmp/evil; echo "$(id)';
  const { arguments: words } = runAction({
    INPUT_VERSION: '1.2.3',
    INPUT_DOMAIN: evil,
    INPUT_FAIL_ON: 'warn',
    INPUT_WAIT: '10m',
  });
  expect(words).toEqual([
    '--yes',
    'smtp-setup@1.2.3',
    'check',
    'dns',
    `--domain=${evil}`,
    '--fail-on=warn',
    '--wait=10m',
  ]);
  // An expression inside the script would be pasted into it before bash sees it.
  expect(script).not.toContain('${{');
});

it('ends with the code of the check, and tells it', () => {
  expect(runAction({ INPUT_VERSION: 'latest' }, 3)).toMatchObject({ status: 3, output: 'exit-code=3\n' });
  expect(runAction({ INPUT_VERSION: 'latest' })).toMatchObject({ status: 0, output: 'exit-code=0\n' });
});

it('builds and runs its own checkout when no version is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'action-'));
  try {
    const checkout = join(folder, 'checkout');
    const { stdout: tracked } = spawnSync('git', ['ls-files', '-z'], { encoding: 'utf8' });
    for (const file of tracked
      .split('\0')
      .filter((name) => /^(bin|scripts|src|templates)\/|^[a-z-]+\.json$/.test(name)))
      cpSync(file, join(checkout, file));
    // As npm would, but for the download.
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\necho "npm $*"\nln -s ${process.cwd()}/node_modules .\n`);
    chmodSync(join(bin, 'npm'), 0o755);
    const output = join(folder, 'output');
    const { stdout, stderr, status } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], {
      encoding: 'utf8',
      cwd: folder,
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        HOME: folder,
        GITHUB_OUTPUT: output,
        GITHUB_ACTION_PATH: checkout,
        INPUT_DOMAIN: 'example.test',
        // Nobody answers there, so that nothing is known: exit code 3.
        INPUT_RESOLVER: '127.0.0.1:9',
      },
    });
    expect(stdout).toContain('npm ci --ignore-scripts');
    expect(stdout, stderr).toContain('example.test');
    expect({ status, output: readFileSync(output, 'utf8') }).toEqual({ status: 3, output: 'exit-code=3\n' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 180_000);

it('has an input and a variable for each flag it passes, and the command knows them all', () => {
  const flags = /for flag in ([a-z -]+);/.exec(script)?.[1]?.split(' ') ?? [];
  expect(flags.length).toBeGreaterThan(8);
  expect([...flags, 'node-version', 'version'].sort()).toEqual(Object.keys(action.inputs).sort());
  for (const flag of flags)
    expect(step?.env?.[`INPUT_${flag.toUpperCase().replace('-', '_')}`]).toBe(`\${{ inputs.${flag} }}`);
  const program = new Command();
  checkCommand.define(program, async () => undefined);
  const known = program.commands[0]?.options.map(({ long }) => long?.slice(2)) ?? [];
  expect(flags.filter((flag) => !known.includes(flag))).toEqual([]);
});

it('docs/ci.md shows YAML that can be read, and inputs that exist', () => {
  const page = readFileSync('docs/ci.md', 'utf8');
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => parse(text) as unknown);
  expect(blocks.length).toBeGreaterThan(3);
  const [workflow] = blocks as [
    { jobs: { dns: { steps: { uses?: string; with?: Record<string, string> }[] } } },
  ];
  const used = workflow.jobs.dns.steps.find(({ uses }) => uses?.startsWith('smtp-setup/'));
  expect(Object.keys(used?.with ?? {}).filter((input) => action.inputs[input] === undefined)).toEqual([]);
  const { suppress } = blocks.at(-1) as { suppress: unknown };
  const config = { version: 1, servers: {}, domains: {}, suppress };
  expect(configSchema.safeParse(config).success).toBe(true);
});
