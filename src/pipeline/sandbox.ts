import { join } from 'node:path';
import type { SandboxOptions } from '../cli/commands/sandbox.js';
import type { Context } from '../cli/context.js';
import type { Outcome, Run } from '../cli/outcome.js';
import { Exit, SetupError } from '../errors.js';
import { packageRoot } from '../lib/package-root.js';
import {
  createLab,
  destroyLab,
  findMissingHostPackages,
  installHostPackages,
  type Lab,
  listLabs,
  loadLab,
} from '../sandbox/index.js';
import { openMailProgram } from '../sandbox/mail-program.js';
import { openReceiver, startReceiver } from '../sandbox/receiver/index.js';
import { openRehearsal, prepareRehearsal, type Rehearsal } from '../sandbox/rehearsal.js';
import { runHere, tryRun } from '../sandbox/run.js';
import { rehearse } from './rehearse.js';

/** `sandbox`: the whole story on this machine, without any account. */
export const runSandbox: Run<SandboxOptions> = async (context, options) => {
  switch (options.action) {
    case 'up':
      return up(context, options);
    case 'run':
      return run(context, options);
    case 'exec':
      return inside(context, await loadLab(options.name), options.command);
    case 'shell':
      return inside(context, await loadLab(options.name), []);
    case 'status':
      return status(context);
    case 'down':
      await destroyLab(options.name);
      context.io.say(`The sandbox ${options.name} is gone.`);
      return { exit: Exit.ok, document: { name: options.name } };
  }
};

async function up(context: Context, options: SandboxOptions): Promise<Outcome> {
  const { lab, rehearsal } = await raise(context, options);
  context.io.print(
    [
      `The sandbox ${lab.name} is up: ${lab.image} at ${lab.vps.ipv4}, domain ${lab.domain}.`,
      '',
      'Run the real init against it, without a question:',
      `  smtp-setup sandbox run --name ${lab.name}`,
    ].join('\n'),
  );
  return { exit: Exit.ok, document: describeLab(lab, rehearsal) };
}

async function run(context: Context, options: SandboxOptions): Promise<Outcome> {
  const running = (await listLabs()).find(({ name }) => name === options.name);
  const { lab, rehearsal } = running?.ready ? await reopen(options.name) : await raise(context, options);
  const receiver = (await openReceiver(lab)) ?? (await startReceiver(lab));
  const mail = openMailProgram(lab, rehearsal);
  return rehearse(context, { lab, rehearsal, receiver, mail });
}

async function raise(context: Context, options: SandboxOptions): Promise<{ lab: Lab; rehearsal: Rehearsal }> {
  await offerPackages(context, options.yes);
  const { io } = context;
  const lab = await createLab({
    name: options.name,
    image: options.image,
    signal: context.signal,
    log: (line) => io.say(line),
  });
  try {
    io.say(
      'Opening an account at the DNS provider; starting a mail server on the other side of the Internet',
    );
    const [rehearsal] = await Promise.all([prepareRehearsal(lab), startReceiver(lab)]);
    return { lab, rehearsal };
  } catch (error) {
    await lab.down();
    throw error;
  }
}

async function reopen(name: string): Promise<{ lab: Lab; rehearsal: Rehearsal }> {
  const lab = await loadLab(name);
  const rehearsal = await openRehearsal(lab);
  return { lab, rehearsal: rehearsal ?? (await prepareRehearsal(lab)) };
}

/** The few programs that this machine itself needs; everything else runs from images. */
async function offerPackages(context: Context, yes: boolean): Promise<void> {
  const missing = await findMissingHostPackages();
  if (missing.length === 0) return;
  context.io.say(`The sandbox needs these Debian packages on this machine: ${missing.join(' ')}`);
  if (!yes) {
    const asker = await context.createAsker();
    const agreed = await asker.confirm({
      key: 'hostPackages',
      message: 'Install them?',
      default: true,
      flag: '--yes',
    });
    if (!agreed) {
      throw new SetupError({
        code: 'E_SANDBOX_PACKAGES',
        exit: Exit.usage,
        what: 'The sandbox cannot start without them.',
        evidence: missing,
        fix: [`apt-get install ${missing.join(' ')}`],
      });
    }
  }
  await installHostPackages(missing, (line) => {
    if (context.io.verbose) context.io.say(line);
  });
}

/** Runs a command on the VPS, or a shell, on this terminal. Its exit code is ours: 0 or 1. */
async function inside({ io, env }: Context, lab: Lab, command: readonly string[]): Promise<Outcome> {
  const terminal = io.json ? 'dumb' : (env.TERM ?? 'dumb');
  const entry = await lab.vps.enterCommand(command.length > 0 ? command : ['bash', '-l'], { TERM: terminal });
  if (entry === undefined) {
    throw new SetupError({
      code: 'E_SANDBOX_VPS_DOWN',
      exit: Exit.failed,
      what: `The VPS of the sandbox ${lab.name} is not running.`,
      fix: [`smtp-setup sandbox down --name ${lab.name}, then up again.`],
    });
  }
  const [program = 'nsenter', ...args] = entry;
  const result = await (io.json && command.length > 0
    ? tryRun(program, args)
    : runHere(program, args, io.json ? 'stderr' : 'stdout'));
  return { exit: result.code === 0 ? Exit.ok : Exit.failed, document: { name: lab.name, ...result } };
}

async function status({ io }: Context): Promise<Outcome> {
  const labs = await listLabs();
  io.print(
    labs.length === 0
      ? 'No sandbox is running.'
      : labs
          .map(
            ({ name, ready }) => `${name}  ${ready ? 'running' : 'starting, or interrupted: take it down'}`,
          )
          .join('\n'),
  );
  return { exit: Exit.ok, document: { sandboxes: labs } };
}

function describeLab(lab: Lab, rehearsal: Rehearsal): Record<string, unknown> {
  return {
    name: lab.name,
    image: lab.image,
    address: lab.vps.ipv4,
    domain: lab.domain,
    namespace: lab.client.namespace,
    program: join(packageRoot(), 'bin', 'smtp-setup.js'),
    init: rehearsal.initArguments,
  };
}
