import { join } from 'node:path';
import type { Context } from '../cli/context.js';
import type { Outcome } from '../cli/outcome.js';
import { Exit, SetupError } from '../errors.js';
import { packageRoot } from '../lib/package-root.js';
import type { Lab } from '../sandbox/index.js';
import type { MailProgram } from '../sandbox/mail-program.js';
import type { Receiver } from '../sandbox/receiver/index.js';
import type { Rehearsal } from '../sandbox/rehearsal.js';
import { renderRehearsal } from '../ui/report/rehearsal.js';

export interface Stage {
  lab: Lab;
  rehearsal: Rehearsal;
  receiver: Receiver;
  mail: MailProgram;
}

/** Runs the real `init` in the sandbox, sends a mail out, gets the answer back over IMAP, and tells the story. */
export async function rehearse(context: Context, stage: Stage): Promise<Outcome> {
  const { lab, rehearsal } = stage;
  const { io } = context;
  const started = context.clock();
  io.say(`\n$ smtp-setup ${shorten(rehearsal.initArguments)}\n`);
  await runInit(context, stage);
  const initSeconds = Math.round((context.clock() - started) / 1000);

  io.say('\nSending a mail to the receiving server, which answers it …');
  const subject = `Rehearsal ${started.toString(36)}`;
  const sent = await stage.mail.send({ to: `echo@${stage.receiver.domain}`, subject });
  if (!sent.ok) throw notDelivered('The server did not take the mail.', sent.detail);
  const received = await stage.receiver.waitForMessage((message) => message.raw.includes(subject), 90_000);
  const verdicts = stage.receiver.readVerdicts(received);
  const back = await stage.mail.read({ subject, timeoutMs: 90_000 });
  if (!back.ok) throw notDelivered('The answer did not arrive in the mailbox.', back.detail);
  const view = {
    sandbox: lab.name,
    image: lab.image,
    hostname: rehearsal.hostname,
    mailbox: rehearsal.mailbox,
    initSeconds,
    verdicts,
    trusted: sent.trusted && back.trusted,
  };
  io.print(renderRehearsal(io, view));
  return { exit: Exit.ok, document: { rehearsal: view } };
}

async function runInit(context: Context, { lab, rehearsal }: Stage): Promise<void> {
  const bin = join(packageRoot(), 'bin', 'smtp-setup.js');
  const [program = 'ip', ...args] = lab.client.command(process.execPath, [bin, ...rehearsal.initArguments]);
  const { spawn } = await import('node:child_process');
  const child = spawn(program, args, {
    stdio: ['inherit', context.io.json ? 2 : 'inherit', 'inherit'],
    env: { ...terminalEnv(context), ...rehearsal.env },
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => resolve(status ?? 1));
  });
  if (code === 0) return;
  throw new SetupError({
    code: 'E_SANDBOX_INIT',
    exit: Exit.failed,
    what: `init ended with exit code ${code}.`,
    fix: [
      `Look around: smtp-setup sandbox shell --name ${lab.name}`,
      `Run it again: smtp-setup sandbox run --name ${lab.name}`,
    ],
  });
}

/** The child draws on the same terminal; nothing else of the environment is its business. */
function terminalEnv({ env }: Context): Record<string, string> {
  const names = ['PATH', 'TERM', 'COLORTERM', 'LANG', 'LC_ALL', 'NO_COLOR', 'FORCE_COLOR', 'CI'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Paths of the sandbox say nothing to a reader. */
function shorten(args: readonly string[]): string {
  return args.map((arg) => arg.replace(/^\/run\/smtp-setup-sandbox\/[^/]+\//, '…/')).join(' ');
}

function notDelivered(what: string, detail: string): SetupError {
  return new SetupError({
    code: 'E_SANDBOX_DELIVERY',
    exit: Exit.failed,
    what,
    evidence: [detail.slice(0, 400)],
  });
}
