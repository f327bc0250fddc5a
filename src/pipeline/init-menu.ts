import type { InitOptions } from '../cli/commands/init.js';
import type { Context } from '../cli/context.js';
import type { Outcome } from '../cli/outcome.js';
import type { Asker } from '../config/asker.js';
import { type Chosen, runChosen } from './menu/chosen.js';
import { type Desk, groups } from './menu/items.js';
import type { Session } from './session.js';

/** What came of a choice; or that the wizard is meant: for what flags say, or for another server. */
export type MenuOutcome = { done: Outcome } | { wizard: 'as-given' | 'another' };

/**
 * What `init` offers where a server is finished already, instead of asking everything again. Each choice is a command of
 * its own, which asks and shows its plan as always.
 */
export async function offerMenu(
  { asker, loaded, lock, answers }: Session,
  context: Context,
  options: InitOptions,
): Promise<MenuOutcome> {
  const hosts = Object.keys(loaded?.config.servers ?? {}).filter((host) => lock.servers[host] !== undefined);
  const given = [answers.ssh, answers.domain, answers.hostname, answers.dns, answers.mailbox];
  if (!asker.interactive || hosts.length === 0 || given.some((answer) => answer?.origin.from === 'flag'))
    return { wizard: 'as-given' };
  const chosen = await askMenu({ asker, domains: Object.keys(loaded?.config.domains ?? {}) }, hosts);
  if (chosen === undefined) return { wizard: 'another' };
  const several = hosts.length > 1 && !ofAllServers.has(chosen.command);
  const hostname = several ? await askServer(asker, hosts) : undefined;
  const flags = hostname === undefined ? options.flags : { ...options.flags, hostname };
  return { done: await runChosen(context, { ...options, flags }, chosen) };
}

/** A backup says itself whose it is. */
const ofAllServers: ReadonlySet<Chosen['command']> = new Set(['check', 'restore']);

/** Two short lists: what it is about, and what is to be done. Undefined: another server is to be set up. */
async function askMenu(desk: Desk, hosts: readonly string[]): Promise<Chosen | undefined> {
  for (;;) {
    const group = await desk.asker.choose({
      key: 'menu',
      message: `${hosts.join(', ')} is set up. What is it about?`,
      choices: [
        ...groups.map(({ value, name }) => ({ value, name })),
        { value: 'init', name: 'Set up another server' },
      ],
      default: groups[0]?.value ?? 'init',
    });
    const items = groups.find(({ value }) => value === group)?.items;
    if (items === undefined) return undefined;
    const choice = await desk.asker.choose({
      key: `menu-${group}`,
      message: 'What shall be done?',
      choices: [...items.map(({ value, name }) => ({ value, name })), { value: 'back', name: 'Back' }],
    });
    const item = items.find(({ value }) => value === choice);
    if (item !== undefined) return item.choose(desk);
  }
}

function askServer(asker: Asker, hosts: readonly string[]): Promise<string> {
  return asker.choose({
    key: 'menu-server',
    message: 'On which server?',
    choices: hosts.map((host) => ({ value: host, name: host })),
  });
}
