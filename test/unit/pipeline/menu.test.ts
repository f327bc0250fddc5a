import { describe, expect, it } from 'vitest';
import { aliasCommand } from '../../../src/cli/commands/alias.js';
import { applyCommand } from '../../../src/cli/commands/apply.js';
import { backupCommand } from '../../../src/cli/commands/backup.js';
import { checkCommand } from '../../../src/cli/commands/check.js';
import type { CommandDefinition } from '../../../src/cli/commands/definition.js';
import { dkimCommand } from '../../../src/cli/commands/dkim.js';
import { domainCommand } from '../../../src/cli/commands/domain.js';
import { logsCommand } from '../../../src/cli/commands/logs.js';
import { queueCommand } from '../../../src/cli/commands/queue.js';
import { reportCommand } from '../../../src/cli/commands/report.js';
import { restoreCommand } from '../../../src/cli/commands/restore.js';
import { statusCommand } from '../../../src/cli/commands/status.js';
import { undoCommand } from '../../../src/cli/commands/undo.js';
import { uninstallCommand } from '../../../src/cli/commands/uninstall.js';
import { userCommand } from '../../../src/cli/commands/user.js';
import { groups } from '../../../src/pipeline/menu/items.js';
import { listCommands, parseCommand } from '../../helpers/parse-command.js';
import { type ScriptedAnswer, scriptAnswers } from '../../helpers/scripted-asker.js';

type Any = CommandDefinition<never>;
type Script = readonly (readonly [string, ScriptedAnswer])[];

/** Where it stands in the menu, what is answered there, and the command line that says the same. */
const cases: readonly (readonly [place: string, answers: Script, command: unknown, line: string])[] = [
  ['mailboxes/add', [['mailbox', 'Bob@b.org']], userCommand, 'user add bob@b.org'],
  [
    'mailboxes/login',
    [
      ['mailbox', 'app@b.org'],
      ['senders', 'shop@b.org, @c.org'],
    ],
    userCommand,
    'user add app@b.org --sender shop@b.org,@c.org',
  ],
  ['mailboxes/passwd', [['address', 'bob@b.org']], userCommand, 'user passwd bob@b.org'],
  [
    'mailboxes/quota',
    [
      ['address', 'bob@b.org'],
      ['size', '5G'],
    ],
    userCommand,
    'user quota bob@b.org 5G',
  ],
  ['mailboxes/disable', [['address', 'bob@b.org']], userCommand, 'user disable bob@b.org'],
  ['mailboxes/enable', [['address', 'bob@b.org']], userCommand, 'user enable bob@b.org'],
  [
    'mailboxes/rm',
    [
      ['address', 'bob@b.org'],
      ['delete-mail', false],
    ],
    userCommand,
    'user rm bob@b.org',
  ],
  [
    'mailboxes/rm',
    [
      ['address', 'bob@b.org'],
      ['delete-mail', true],
    ],
    userCommand,
    'user rm bob@b.org --delete-mail',
  ],
  ['mailboxes/list', [], userCommand, 'user list'],
  [
    'aliases/add',
    [
      ['alias', '@b.org'],
      ['targets', 'bob@b.org,x@y.net'],
    ],
    aliasCommand,
    'alias add @b.org bob@b.org x@y.net',
  ],
  ['aliases/rm', [['alias', 'info@b.org']], aliasCommand, 'alias rm info@b.org'],
  ['aliases/list', [], aliasCommand, 'alias list'],
  ['domains/add', [['domain', 'C.org']], domainCommand, 'domain add c.org'],
  ['domains/rm', [['domain', 'b.org']], domainCommand, 'domain rm b.org'],
  ['domains/list', [], domainCommand, 'domain list'],
  ['domains/rotate', [['domain', 'b.org']], dkimCommand, 'dkim rotate b.org'],
  ['domains/keys', [], dkimCommand, 'dkim list'],
  ['mail/to', [['address', '@y.net']], logsCommand, 'logs --to @y.net --since 7d'],
  ['mail/from', [['address', 'bob@b.org']], logsCommand, 'logs --from bob@b.org --since 7d'],
  ['mail/id', [['id', '<1@b.org>']], logsCommand, 'logs --message-id 1@b.org --since 7d'],
  ['mail/report', [], reportCommand, 'report'],
  ['mail/list', [], queueCommand, 'queue list'],
  ['mail/flush', [], queueCommand, 'queue flush'],
  ['mail/show', [['ids', 'A1B2C3']], queueCommand, 'queue show A1B2C3'],
  ['mail/hold', [['ids', 'A1B2C3, D4E5F6']], queueCommand, 'queue hold A1B2C3 D4E5F6'],
  ['mail/release', [['ids', 'all']], queueCommand, 'queue release --all'],
  ['mail/rm', [['ids', 'A1B2C3']], queueCommand, 'queue rm A1B2C3'],
  ['server/status', [], statusCommand, 'status'],
  ['server/check', [], checkCommand, 'check'],
  ['server/apply', [], applyCommand, 'apply'],
  ['backup/backup', [['target', '/mnt']], backupCommand, 'backup /mnt'],
  [
    'backup/restore',
    [
      ['file', 'x.tar.gpg'],
      ['ssh', 'root@203.0.113.9'],
    ],
    restoreCommand,
    'restore x.tar.gpg --ssh root@203.0.113.9',
  ],
  ['undo/undo-server', [], undoCommand, 'undo server'],
  ['undo/undo-dns', [], undoCommand, 'undo dns'],
  ['undo/uninstall', [['packages', true]], uninstallCommand, 'uninstall --remove-packages'],
];

describe("init's menu", () => {
  it.each(cases)('%s with %j', async (place, answers, command, line) => {
    const [group, value] = place.split('/');
    const item = groups.find((one) => one.value === group)?.items.find((one) => one.value === value);
    const asker = scriptAnswers(answers.map(([key, answer]) => [`menu-${key}`, answer] as const));
    const chosen = await item?.choose({ asker, domains: ['b.org', 'c.org'] });
    asker.finish();
    const { command: name, ...options } = chosen ?? { command: '' };
    expect(name).toBe(line.split(' ')[0]);
    const parsed = await parseCommand(command as CommandDefinition<unknown>, line.split(' '));
    // `ssh` stands among the flags there.
    const { flags, ...rest } = parsed as { flags?: object };
    expect({ ...rest, ...flags }).toMatchObject(options);
  });

  it('has every command of a finished server, and no item that was not tried here', () => {
    const definitions = new Set(cases.map(([, , command]) => command as Any));
    const known = [...definitions].flatMap((definition) => listCommands(definition));
    const reached = cases.map(([, , , line]) => line);
    const missing = known.filter((name) => !reached.some((line) => `${line} `.startsWith(`${name} `)));
    expect(missing).toEqual([]);
    const items = groups.flatMap(({ value, items: all }) => all.map((item) => `${value}/${item.value}`));
    expect(items.filter((place) => !cases.some(([tried]) => tried === place))).toEqual([]);
  });

  it('fits on a screen at every level', () => {
    expect(groups.length).toBeLessThanOrEqual(8);
    for (const { name, items } of groups) {
      expect(items.length, name).toBeLessThanOrEqual(10);
      for (const text of [name, ...items.map((item) => item.name)]) expect(text.length).toBeLessThan(70);
    }
  });

  it.each([
    ['mailboxes/quota', 'size', '5 pounds'],
    ['mailboxes/login', 'senders', 'shop@b.org,nobody'],
    ['mail/rm', 'ids', 'a;id'],
    ['backup/restore', 'ssh', '-oProxyCommand=x'],
  ])('%s asks again for %s after %j', async (place, key, wrong) => {
    const [group, value] = place.split('/');
    const item = groups.find((one) => one.value === group)?.items.find((one) => one.value === value);
    const before = cases.find(([tried]) => tried === place)?.[1] ?? [];
    const script = before.map(([name, answer]) => [`menu-${name}`, name === key ? wrong : answer] as const);
    const asker = scriptAnswers(script);
    await expect(item?.choose({ asker, domains: ['b.org'] })).rejects.toThrow(`"menu-${key}" was refused`);
  });
});
