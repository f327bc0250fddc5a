import { spawn } from 'node:child_process';
import { namespaceOf } from '../../src/sandbox/layout.js';
import type { Receiver } from '../../src/sandbox/receiver/index.js';
import type { World } from './world.js';

export interface Attempt {
  /** Milliseconds since the epoch. */
  started: number;
  ended: number;
  ok: boolean;
  detail: string;
}

export interface MailStream {
  /** Sends no more; resolves to everything that was tried. */
  stop(): Promise<Attempt[]>;
}

/**
 * Another mail server that sends to the user until it is stopped: from two addresses in turn, each as often as the server
 * lets it connect (60 times a minute).
 */
export async function startMailStream(world: World, { domain, host }: Receiver): Promise<MailStream> {
  const { lab, rehearsal } = world;
  const order = {
    hosts: [lab.vps.ipv4, ...(lab.vps.ipv6 === undefined ? [] : [lab.vps.ipv6])],
    options: { port: 25, name: host, tls: { rejectUnauthorized: false } },
    mail: { from: `stream@${domain}`, to: rehearsal.mailbox, subject: 'stream', text: 'stream' },
  };
  const program = `
    import nodemailer from 'nodemailer';
    let text = '', on = true;
    process.stdin.on('data', (chunk) => { text += chunk; });
    process.stdin.on('end', () => { on = false; });
    while (!text.endsWith('\\n')) await new Promise((resolve) => process.stdin.once('data', resolve));
    const { hosts, options, mail } = JSON.parse(text);
    const send = (host) => nodemailer.createTransport({ ...options, host }).sendMail(mail);
    // Whoever is unknown waits for the greeting, once.
    await Promise.all(hosts.map(send));
    for (let turn = 0; on; turn += 1) {
      const started = Date.now();
      let ok = true, detail = '';
      try { detail = (await send(hosts[turn % hosts.length])).response; }
      catch (error) { ok = false; detail = String(error); }
      process.stdout.write(JSON.stringify({ started, ended: Date.now(), ok, detail }) + '\\n');
      if (on) await new Promise((resolve) => setTimeout(resolve, started + 1100 / hosts.length - Date.now()));
    }`;
  const child = spawn(
    'ip',
    [
      'netns',
      'exec',
      namespaceOf(lab.name, 'receiver'),
      process.execPath,
      '--input-type=module',
      '-e',
      program,
    ],
    { stdio: 'pipe' },
  );
  let output = '';
  let errors = '';
  const first = new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += String(chunk);
      resolve();
    });
    child.stderr.on('data', (chunk) => {
      errors += String(chunk);
    });
    child.once('close', () => reject(new Error(`the mail stream ended: ${errors}`)));
  });
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  child.stdin.write(`${JSON.stringify(order)}\n`);
  await first;
  return {
    async stop() {
      child.stdin.end();
      await ended;
      return output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Attempt);
    },
  };
}

/** The longest time, in milliseconds, from one message that was taken to the next. */
export function longestGap(attempts: readonly Attempt[]): number {
  const taken = attempts.filter(({ ok }) => ok);
  return Math.max(0, ...taken.slice(1).map(({ ended }, index) => ended - (taken[index]?.ended ?? ended)));
}
