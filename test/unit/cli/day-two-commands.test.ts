import { describe, expect, it } from 'vitest';
import { aliasCommand } from '../../../src/cli/commands/alias.js';
import type { CommandDefinition } from '../../../src/cli/commands/definition.js';
import { logsCommand } from '../../../src/cli/commands/logs.js';
import { queueCommand } from '../../../src/cli/commands/queue.js';
import { reportCommand } from '../../../src/cli/commands/report.js';
import { userCommand } from '../../../src/cli/commands/user.js';
import { parseCommand } from '../../helpers/parse-command.js';

const plain = { flags: {}, yes: false };
const day = 86_400;

describe('day-two commands', () => {
  it.each([
    [userCommand, 'user list --json', { ...plain, action: { kind: 'list' } }],
    [
      userCommand,
      'user add a@b.org --ssh root@h --password-file - --yes',
      {
        action: { kind: 'add', addresses: ['a@b.org'], generate: false },
        flags: { ssh: 'root@h', passwordFile: '-' },
        yes: true,
      },
    ],
    [
      userCommand,
      'user add --csv - --config x.yaml',
      { ...plain, config: 'x.yaml', action: { kind: 'add', addresses: [], csv: '-', generate: false } },
    ],
    [
      userCommand,
      'user add app@b.org --generate --sender a@b.org,@c.org',
      {
        ...plain,
        action: { kind: 'add', addresses: ['app@b.org'], generate: true, senders: ['a@b.org', '@c.org'] },
      },
    ],
    [
      userCommand,
      'user passwd a@b.org --generate',
      { ...plain, action: { kind: 'passwd', address: 'a@b.org', generate: true } },
    ],
    [
      userCommand,
      'user rm a@b.org c@b.org',
      { ...plain, action: { kind: 'rm', addresses: ['a@b.org', 'c@b.org'] } },
    ],
    [
      userCommand,
      'user rm a@b.org --delete-mail',
      { ...plain, action: { kind: 'rm', addresses: ['a@b.org'], deleteMail: true } },
    ],
    [
      userCommand,
      'user quota a@b.org 10G',
      { ...plain, action: { kind: 'quota', address: 'a@b.org', size: '10G' } },
    ],
    [userCommand, 'user disable a@b.org', { ...plain, action: { kind: 'disable', addresses: ['a@b.org'] } }],
    [userCommand, 'user enable a@b.org', { ...plain, action: { kind: 'enable', addresses: ['a@b.org'] } }],
    [aliasCommand, 'alias list', { ...plain, action: { kind: 'list' } }],
    [
      aliasCommand,
      'alias add @b.org a@b.org c@b.org --yes',
      { ...plain, yes: true, action: { kind: 'add', address: '@b.org', targets: ['a@b.org', 'c@b.org'] } },
    ],
    [aliasCommand, 'alias rm i@b.org', { ...plain, action: { kind: 'rm', address: 'i@b.org', targets: [] } }],
    [queueCommand, 'queue list', { ...plain, action: { kind: 'list' } }],
    [queueCommand, 'queue show ABCDEF', { ...plain, action: { kind: 'show', id: 'ABCDEF' } }],
    [queueCommand, 'queue flush', { ...plain, action: { kind: 'flush', ids: [] } }],
    [
      queueCommand,
      'queue rm --all --yes',
      { flags: {}, yes: true, action: { kind: 'rm', ids: [], all: true } },
    ],
    [queueCommand, 'queue hold A1B2C3', { ...plain, action: { kind: 'hold', ids: ['A1B2C3'], all: false } }],
    [logsCommand, 'logs', { flags: {}, since: day, follow: false }],
    [
      logsCommand,
      'logs --follow --message-id <a@b> --from @b.org --to c@d.org --since 90m --hostname h.b.org',
      {
        flags: { hostname: 'h.b.org' },
        since: 5400,
        follow: true,
        messageId: 'a@b',
        from: '@b.org',
        to: 'c@d.org',
      },
    ],
    [reportCommand, 'report', { flags: {}, since: 7 * day }],
    [reportCommand, 'report --since 2w', { flags: {}, since: 14 * day }],
  ])('%# %s', async (definition, line, expected) => {
    expect(await parseCommand(definition as CommandDefinition<unknown>, line.split(' '))).toEqual(expected);
  });

  it.each([
    [reportCommand, 'report --since yesterday'],
    [logsCommand, 'logs --since 5'],
    [userCommand, 'user rm'],
    [userCommand, 'user add a@b.org --password secret'],
    [aliasCommand, 'alias add a@b.org'],
    [queueCommand, 'queue show'],
  ])('%# %s is refused', async (definition, line) => {
    await expect(
      parseCommand(definition as CommandDefinition<unknown>, line.split(' ')),
    ).rejects.toMatchObject({
      name: 'CommanderError',
    });
  });
});
