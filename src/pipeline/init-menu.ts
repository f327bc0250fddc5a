import type { InitOptions } from '../cli/commands/init.js';
import type { Context } from '../cli/context.js';
import type { Outcome } from '../cli/outcome.js';
import { attempt, type Parsed, parsePath } from '../config/validate.js';
import { parseAddress, parseDomain, parseMailbox } from '../lib/names.js';
import type { Session } from './session.js';

const choices = [
  { value: 'mailbox', name: 'Add a mailbox' },
  { value: 'passwd', name: 'Change a password' },
  { value: 'alias', name: 'Add an alias' },
  { value: 'domain', name: 'Add a domain' },
  { value: 'dkim', name: 'Change a DKIM key' },
  { value: 'status', name: 'Show how the server is' },
  { value: 'report', name: 'Show what became of the mail of the last week' },
  { value: 'queue', name: 'Show the mail that waits' },
  { value: 'backup', name: 'Make a backup' },
  { value: 'apply', name: 'Repair: make all of it as the configuration says' },
  { value: 'uninstall', name: 'Take everything back' },
  { value: 'init', name: 'Set up another server' },
] as const;

/**
 * What `init` offers where a server is finished already, instead of asking everything again. Undefined: the wizard is
 * meant after all. Each choice is a command of its own, which asks and shows its plan as always.
 */
export async function offerMenu(
  { asker, loaded, lock, answers }: Session,
  context: Context,
  { config, flags, consents }: InitOptions,
): Promise<Outcome | undefined> {
  const hosts = Object.keys(loaded?.config.servers ?? {}).filter((host) => lock.servers[host] !== undefined);
  const given = [answers.ssh, answers.domain, answers.hostname, answers.dns, answers.mailbox];
  if (!asker.interactive || hosts.length === 0 || given.some((answer) => answer?.origin.from === 'flag'))
    return undefined;
  const choice = await asker.choose({
    key: 'menu',
    message: `${hosts.join(', ')} is set up. What shall be done?`,
    choices,
    default: 'mailbox',
  });
  const common = { flags, ...(config === undefined ? {} : { config }), yes: false };
  const ask = (key: string, message: string, parse: (input: string) => Parsed): Promise<string> =>
    asker.text({ key, message, validate: (value) => complaint(parse(value)) });
  switch (choice) {
    case 'mailbox': {
      const address = await ask('menu-mailbox', 'Address of the mailbox?', mailbox);
      const action = { kind: 'add', addresses: [address], generate: false } as const;
      return (await import('./user.js')).runUser(context, { ...common, action });
    }
    case 'passwd': {
      const address = await ask('menu-mailbox', 'Whose?', aliasName);
      const action = { kind: 'passwd', address, generate: false } as const;
      return (await import('./user.js')).runUser(context, { ...common, action });
    }
    case 'alias': {
      const address = await ask('menu-alias', 'Address of the alias?', aliasName);
      const target = await ask('menu-target', 'Where shall its mail go?', aliasName);
      const action = { kind: 'add', address, targets: [target] } as const;
      return (await import('./alias.js')).runAlias(context, { ...common, action });
    }
    case 'domain': {
      const domain = await ask('menu-domain', 'Which domain?', attempt(parseDomain));
      const action = { kind: 'add', domain } as const;
      return (await import('./domain.js')).runDomain(context, { ...common, consents, action });
    }
    case 'dkim': {
      const names = Object.keys(loaded?.config.domains ?? {});
      const domain = await asker.choose({
        key: 'menu-dkim',
        message: 'Whose key?',
        choices: names.map((name) => ({ value: name, name })),
      });
      const action = { kind: 'rotate', domains: [domain] } as const;
      return (await import('./dkim.js')).runDkim(context, { ...common, action });
    }
    case 'status':
      return (await import('./status.js')).runStatus(context, { ...common, changedOnly: false });
    case 'report':
      return (await import('./report.js')).runReport(context, { ...common, since: week });
    case 'queue':
      return (await import('./queue.js')).runQueue(context, { ...common, action: { kind: 'list' } });
    case 'backup': {
      const target = await ask('menu-target', 'Into which directory of this machine?', parsePath);
      return (await import('./backup.js')).runBackup(context, {
        ...common,
        target,
        recipients: [],
        plain: false,
      });
    }
    case 'uninstall':
      return (await import('./uninstall.js')).runUninstall(context, {
        ...common,
        removePackages: await asker.confirm({
          key: 'menu-packages',
          message: 'Remove the packages that came with smtp-setup, too?',
          default: false,
        }),
        discardQueue: false,
      });
    case 'apply':
      return (await import('./apply.js')).runApply(context, {
        ...common,
        consents,
        servers: [],
        parallel: 20,
      });
    case 'init':
      return undefined;
  }
}

/** Seconds. */
const week = 7 * 86_400;

const mailbox = attempt((input) => parseMailbox(input).address);
const aliasName = attempt((input) => parseAddress(input));

function complaint(parsed: Parsed): true | string {
  return parsed.ok ? true : [parsed.problem, parsed.hint ?? ''].join(' ').trim();
}
