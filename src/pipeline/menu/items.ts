import type { Asker } from '../../config/asker.js';
import { attempt, type Parsed, parsePath, parseSsh } from '../../config/validate.js';
import { parseAddress, parseAddressOrAll, parseDomain, parseMailbox } from '../../lib/names.js';
import { parseSize } from '../../lib/size.js';
import { splitList } from '../../lib/split-list.js';
import { queueIdForm } from '../../logs/parse-queue.js';
import type { Chosen } from './chosen.js';

/** What an item needs to complete its command. */
export interface Desk {
  asker: Asker;
  /** Domains of the configuration. */
  domains: readonly string[];
}

export interface Item {
  value: string;
  name: string;
  choose(desk: Desk): Promise<Chosen>;
}

/** A line of the menu: its name says what is behind it, so that nobody has to look. */
export interface Group {
  value: string;
  name: string;
  items: readonly Item[];
}

const item = (value: string, name: string, choose: Item['choose']): Item => ({ value, name, choose });
const plain = (value: string, name: string, chosen: Chosen): Item => item(value, name, async () => chosen);

async function ask({ asker }: Desk, key: string, message: string, parse: (input: string) => Parsed) {
  const text = await asker.text({
    key: `menu-${key}`,
    message,
    validate: (value) => complaint(parse(value)),
  });
  const parsed = parse(text);
  return parsed.ok ? parsed.value : text;
}

function complaint(parsed: Parsed): true | string {
  return parsed.ok ? true : [parsed.problem, parsed.hint ?? ''].join(' ').trim();
}

const mailbox = attempt((input) => parseMailbox(input).address);
const address = attempt((input) => parseAddress(input));
const addressOrAll = attempt(parseAddressOrAll);

/** Several of the same, comma-separated. */
function listOf(parse: (input: string) => Parsed): (input: string) => Parsed {
  return (input) => {
    const items = splitList(input).map(parse);
    const fault = items.find(({ ok }) => !ok);
    if (fault !== undefined) return fault;
    if (items.length === 0) return { ok: false, problem: 'Nothing was given.' };
    return { ok: true, value: items.flatMap((one) => (one.ok ? [one.value] : [])).join(',') };
  };
}

const whose = (desk: Desk): Promise<string> => ask(desk, 'address', 'Whose? (the address)', address);

const mailboxes: Group = {
  value: 'mailboxes',
  name: 'Mailboxes: add, password, quota, disable, remove',
  items: [
    item('add', 'Add a mailbox', async (desk) => {
      const wanted = await ask(desk, 'mailbox', 'Address of the mailbox?', mailbox);
      return { command: 'user', action: { kind: 'add', addresses: [wanted], generate: false } };
    }),
    item('login', 'Add a login for an application', async (desk) => {
      const login = await ask(desk, 'mailbox', 'Name of the login? (app@DOMAIN; it gets no mail)', mailbox);
      const senders = await ask(
        desk,
        'senders',
        'Which addresses may it send as? (comma-separated; @DOMAIN for all of one)',
        listOf(addressOrAll),
      );
      const action = {
        kind: 'add',
        addresses: [login],
        senders: splitList(senders),
        generate: false,
      } as const;
      return { command: 'user', action };
    }),
    item('passwd', 'Change a password', async (desk) => ({
      command: 'user',
      action: { kind: 'passwd', address: await whose(desk), generate: false },
    })),
    item('quota', 'Change how much a mailbox may hold', async (desk) => {
      const owner = await whose(desk);
      const size = await ask(desk, 'size', 'How much? (500M, 5G; none; default)', quota);
      return { command: 'user', action: { kind: 'quota', address: owner, size } };
    }),
    item('disable', 'Disable: no login and no sending, mail still comes in', async (desk) => ({
      command: 'user',
      action: { kind: 'disable', addresses: [await whose(desk)] },
    })),
    item('enable', 'Enable again', async (desk) => ({
      command: 'user',
      action: { kind: 'enable', addresses: [await whose(desk)] },
    })),
    item('rm', 'Remove', async (desk) => {
      const gone = await whose(desk);
      const deleteMail = await desk.asker.confirm({
        key: 'menu-delete-mail',
        message: 'Delete its stored mail, too? (All of it has to be in a backup.)',
        default: false,
      });
      const action = { kind: 'rm', addresses: [gone], ...(deleteMail ? { deleteMail } : {}) } as const;
      return { command: 'user', action };
    }),
    plain('list', 'List', { command: 'user', action: { kind: 'list' } }),
  ],
};

const aliases: Group = {
  value: 'aliases',
  name: 'Aliases: add, remove, list',
  items: [
    item('add', 'Add an alias, a list, a catch-all or a forwarding', async (desk) => {
      const alias = await ask(desk, 'alias', 'Address of the alias? (@DOMAIN: all other mail)', addressOrAll);
      const targets = await ask(
        desk,
        'targets',
        'Where shall its mail go? (comma-separated)',
        listOf(address),
      );
      return { command: 'alias', action: { kind: 'add', address: alias, targets: splitList(targets) } };
    }),
    item('rm', 'Remove an alias', async (desk) => {
      const alias = await ask(desk, 'alias', 'Which one?', addressOrAll);
      return { command: 'alias', action: { kind: 'rm', address: alias, targets: [] } };
    }),
    plain('list', 'List', { command: 'alias', action: { kind: 'list' } }),
  ],
};

async function pickDomain({ asker, domains }: Desk, message: string): Promise<string> {
  return asker.choose({
    key: 'menu-domain',
    message,
    choices: domains.map((name) => ({ value: name, name })),
  });
}

const domains: Group = {
  value: 'domains',
  name: 'Domains and DKIM keys: add, remove, change a key',
  items: [
    item('add', 'Add a domain', async (desk) => {
      const domain = await ask(desk, 'domain', 'Which domain?', attempt(parseDomain));
      return { command: 'domain', action: { kind: 'add', domain } };
    }),
    item('rm', 'Give a domain up', async (desk) => ({
      command: 'domain',
      action: { kind: 'rm', domain: await pickDomain(desk, 'Which one?') },
    })),
    plain('list', 'List domains', { command: 'domain', action: { kind: 'list' } }),
    item('rotate', 'Change a DKIM key', async (desk) => ({
      command: 'dkim',
      action: { kind: 'rotate', domains: [await pickDomain(desk, 'Whose key?')] },
    })),
    plain('keys', 'List DKIM keys', { command: 'dkim', action: { kind: 'list' } }),
  ],
};

const queueIds = listOf((input) =>
  queueIdForm.test(input)
    ? { ok: true, value: input }
    : { ok: false, problem: 'That is no queue id.', hint: 'The list shows them.' },
);
const queueIdsOrAll = (input: string): Parsed =>
  input.trim() === 'all' ? { ok: true, value: 'all' } : queueIds(input);

async function pickMessages(desk: Desk): Promise<{ ids: string[]; all: boolean }> {
  const given = await ask(desk, 'ids', 'Which? (queue ids, comma-separated; all)', queueIdsOrAll);
  return given === 'all' ? { ids: [], all: true } : { ids: splitList(given), all: false };
}

const queueChange = (kind: 'hold' | 'release' | 'rm', name: string): Item =>
  item(kind, name, async (desk) => ({ command: 'queue', action: { kind, ...(await pickMessages(desk)) } }));

const messageId = (input: string): Parsed => {
  const text = input.trim().replace(/^<(.*)>$/, '$1');
  return text === '' ? { ok: false, problem: 'Nothing was given.' } : { ok: true, value: text };
};

const mail: Group = {
  value: 'mail',
  name: 'Mail: what became of it, what waits, report',
  items: [
    item('to', 'What became of mail to an address', async (desk) => ({
      command: 'logs',
      to: await ask(desk, 'address', 'To whom? (@DOMAIN: all of one)', addressOrAll),
    })),
    item('from', 'What became of mail from an address', async (desk) => ({
      command: 'logs',
      from: await ask(desk, 'address', 'From whom? (@DOMAIN: all of one)', addressOrAll),
    })),
    item('id', 'What became of one message', async (desk) => ({
      command: 'logs',
      messageId: await ask(desk, 'id', 'Its Message-ID, or its queue id?', messageId),
    })),
    plain('report', 'Sum up the last week', { command: 'report' }),
    plain('list', 'Show what waits, and why', { command: 'queue', action: { kind: 'list' } }),
    plain('flush', 'Try what waits again now', { command: 'queue', action: { kind: 'flush', ids: [] } }),
    item('show', 'Show a message that waits', async (desk) => ({
      command: 'queue',
      action: { kind: 'show', id: await ask(desk, 'ids', 'Its queue id?', queueIds) },
    })),
    queueChange('hold', 'Hold messages back'),
    queueChange('release', 'Let held messages go'),
    queueChange('rm', 'Delete messages that wait'),
  ],
};

const server: Group = {
  value: 'server',
  name: 'Server: status, check, repair',
  items: [
    plain('status', 'Show how it is, and what is new', { command: 'status' }),
    plain('check', 'Check everything from outside', { command: 'check' }),
    plain('apply', 'Repair: make all of it as the configuration says', { command: 'apply' }),
  ],
};

const saving: Group = {
  value: 'backup',
  name: 'Backup and restore',
  items: [
    item('backup', 'Make a backup', async (desk) => ({
      command: 'backup',
      target: await ask(desk, 'target', 'Into which directory of this machine?', parsePath),
    })),
    item('restore', 'Restore a backup onto a fresh VPS', async (desk) => {
      const file = await ask(desk, 'file', 'Which file?', parsePath);
      const ssh = await ask(
        desk,
        'ssh',
        'How do you log in to the fresh VPS? ([USER@]HOST[:PORT])',
        parseSsh,
      );
      return { command: 'restore', file, ssh };
    }),
  ],
};

const undoing: Group = {
  value: 'undo',
  name: 'Undo and uninstall',
  items: [
    plain('undo-server', 'Undo the last change of files on the server', { command: 'undo', scope: 'server' }),
    plain('undo-dns', 'Take all records back out of DNS', { command: 'undo', scope: 'dns' }),
    item('uninstall', 'Uninstall: everything as it was before, mail kept', async ({ asker }) => ({
      command: 'uninstall',
      removePackages: await asker.confirm({
        key: 'menu-packages',
        message: 'Remove the packages that came with smtp-setup, too?',
        default: false,
      }),
    })),
  ],
};

/** Everything that a finished server can be asked for, what is wanted most often first. */
export const groups: readonly Group[] = [mailboxes, aliases, domains, mail, server, saving, undoing];

function quota(input: string): Parsed {
  const text = input.trim();
  if (text === 'default' || parseSize(text) !== undefined) return { ok: true, value: text };
  return { ok: false, problem: 'That is no size.', hint: 'Such as 500M, 5G, none or default.' };
}
