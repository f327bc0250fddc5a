import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { applyCommand } from '../../../src/cli/commands/apply.js';
import { checkCommand } from '../../../src/cli/commands/check.js';
import type { CommandDefinition } from '../../../src/cli/commands/definition.js';
import { initCommand } from '../../../src/cli/commands/init.js';
import { planCommand } from '../../../src/cli/commands/plan.js';
import { sandboxCommand } from '../../../src/cli/commands/sandbox.js';
import { undoCommand } from '../../../src/cli/commands/undo.js';
import { scanOutputFlags } from '../../../src/cli/flags.js';
import { consentFlags } from '../../../src/dns/merge/builder.js';
import { readConsents } from '../../../src/pipeline/consents.js';

async function parse<O>(definition: CommandDefinition<O>, argv: readonly string[]): Promise<O | undefined> {
  let parsed: O | undefined;
  const program = new Command('smtp-setup').exitOverride().configureOutput({ writeErr: () => undefined });
  definition.define(program, async (options) => {
    parsed = options;
  });
  await program.parseAsync(argv, { from: 'user' });
  return parsed;
}

/** Nothing that stands there already may be touched. */
const cautious = { allowUpdate: false, allowDelete: false, allowUnproxy: false, onConflict: 'stop' };
const fingerprint = `SHA256:${'a'.repeat(43)}`;

describe('init', () => {
  it('takes every name of the contract', async () => {
    const given: [string, string, string][] = [
      ['--ssh', 'ssh', 'root@[2001:db8::1]:22'],
      ['--identity', 'identity', 'key'],
      ['--host-key', 'hostKey', fingerprint],
      ['--domain', 'domain', 'example.org'],
      ['--hostname', 'hostname', 'mail.example.org'],
      ['--dns', 'dns', 'cloudflare'],
      ['--mailbox', 'mailbox', 'ada@example.org'],
      ['--password-file', 'passwordFile', '-'],
      ['--acme-directory', 'acmeDirectory', 'https://acme.test/dir'],
      ['--acme-ca', 'acmeCa', 'ca.pem'],
      ['--resolver', 'resolver', '198.51.100.1:53'],
      ['--ipv4', 'ipv4', '93.184.216.34'],
      ['--server-forwarder', 'serverForwarder', '198.51.100.1'],
      ['--trust-anchor', 'trustAnchor', 'root.key'],
    ];
    const argv = ['init', '--config', 'my.yaml', '--yes', '--json', '--no-color', '--verbose'];
    for (const [flag, , value] of given) argv.push(flag, value);
    expect(await parse(initCommand, argv)).toEqual({
      flags: Object.fromEntries(given.map(([, key, value]) => [key, value])),
      consents: cautious,
      config: 'my.yaml',
      yes: true,
    });
  });

  it('needs nothing', async () => {
    expect(await parse(initCommand, ['init'])).toEqual({ flags: {}, consents: cautious, yes: false });
  });
});

/** All of the configuration, as many at a time as is good. */
const everyServer = { servers: [], parallel: 20 };

describe('the other commands', () => {
  it.each([
    [planCommand, ['plan'], { ...everyServer, flags: {}, consents: cautious, exitCode: false }],
    [
      planCommand,
      ['plan', '--server', 'a.example', '--server', 'b.example', '--parallel', '3'],
      { servers: ['a.example', 'b.example'], parallel: 3, flags: {}, consents: cautious, exitCode: false },
    ],
    [
      planCommand,
      ['plan', '--exit-code', '--resolver', '::1'],
      { ...everyServer, flags: { resolver: '::1' }, consents: cautious, exitCode: true },
    ],
    [applyCommand, ['apply', '--yes'], { ...everyServer, flags: {}, consents: cautious, yes: true }],
    [
      applyCommand,
      ['apply', '--dns', 'manual'],
      { ...everyServer, flags: { dns: 'manual' }, consents: cautious, yes: false },
    ],
    [
      applyCommand,
      ['apply', '--config', 'x'],
      { ...everyServer, flags: {}, consents: cautious, config: 'x', yes: false },
    ],
    [
      applyCommand,
      ['apply', '--allow-update', '--allow-delete', '--allow-unproxy', '--on-conflict', 'take-over'],
      {
        ...everyServer,
        flags: {},
        consents: { allowUpdate: true, allowDelete: true, allowUnproxy: true, onConflict: 'take-over' },
        yes: false,
      },
    ],
    [checkCommand, ['check', 'dns'], { scope: 'dns', flags: {}, selectors: [], failOn: 'fail' }],
    [
      checkCommand,
      [
        'check',
        'dns',
        '--only',
        'spf, DKIM-KEY',
        '--selector',
        's1,s2',
        '--fail-on',
        'warn',
        '--unknown',
        'ok',
      ],
      {
        scope: 'dns',
        flags: {},
        only: ['spf', 'DKIM-KEY'],
        selectors: ['s1', 's2'],
        failOn: 'warn',
        unknown: 'ok',
      },
    ],
    [
      checkCommand,
      ['check', 'dns', '--wait', '--profile', 'gmail', '--junit', 'a.xml', '--html', 'b.html'],
      {
        scope: 'dns',
        flags: {},
        wait: 600,
        profile: 'gmail',
        junit: 'a.xml',
        html: 'b.html',
        selectors: [],
        failOn: 'fail',
      },
    ],
    [
      checkCommand,
      ['check', 'server', '--wait', '90s', '--skip', 'TLS-CERT'],
      { scope: 'server', flags: {}, wait: 90, skip: ['TLS-CERT'], selectors: [], failOn: 'fail' },
    ],
    [
      checkCommand,
      ['check', '--as-stranger'],
      { scope: 'all', flags: {}, asStranger: true, selectors: [], failOn: 'fail' },
    ],
    [
      checkCommand,
      ['check', 'delivery', '--to', 'me@example.net', '--ssh', 'root@x'],
      { scope: 'delivery', flags: { ssh: 'root@x' }, to: 'me@example.net', selectors: [], failOn: 'fail' },
    ],
    [undoCommand, ['undo', 'dns'], { scope: 'dns', flags: {}, yes: false }],
    [undoCommand, ['undo', 'dns', '--yes'], { scope: 'dns', flags: {}, yes: true }],
    [
      sandboxCommand,
      ['sandbox', 'up'],
      { action: 'up', name: 'main', image: 'debian-12', yes: false, command: [] },
    ],
    [
      sandboxCommand,
      ['sandbox', 'run', '--image', 'debian-13', '--name', 'b', '--yes'],
      { action: 'run', name: 'b', image: 'debian-13', yes: true, command: [] },
    ],
    [
      sandboxCommand,
      ['sandbox', 'exec', '--', 'ls', '-l', '--json'],
      { action: 'exec', name: 'main', image: 'debian-12', yes: false, command: ['ls', '-l', '--json'] },
    ],
    [
      sandboxCommand,
      ['sandbox', 'down', '--name', 'b'],
      { action: 'down', name: 'b', image: 'debian-12', yes: false, command: [] },
    ],
  ])('%# parses', async (definition, argv, expected) => {
    expect(await parse(definition as CommandDefinition<unknown>, argv)).toEqual(expected);
  });

  it.each([
    [checkCommand, ['check', 'everything']],
    [planCommand, ['plan', '--parallel', '0']],
    [applyCommand, ['apply', '--parallel', 'many']],
    [checkCommand, ['check', 'delivery', '--to', 'x> RCPT TO:<y@z.test']],
    [checkCommand, ['check', 'dns', '--wait', 'soon']],
    [checkCommand, ['check', 'dns', '--profile', 'nobody']],
    [undoCommand, ['undo']],
    [applyCommand, ['apply', '--on-conflict', 'overwrite']],
  ])('%# is refused', async (definition, argv) => {
    await expect(parse(definition as CommandDefinition<unknown>, argv)).rejects.toMatchObject({
      name: 'CommanderError',
    });
  });
});

describe('every consent that a conflict names', () => {
  it.each(Object.entries(consentFlags))('can be given: %s', async (consent, flag) => {
    const value = consent === 'takeOverMx' ? ['@'] : [];
    const parsed = await parse(applyCommand, ['apply', flag, ...value]);
    const given = Object.entries(readConsents(parsed?.consents ?? expect.fail()));
    expect(given.find(([name]) => name === consent)?.[1]).toBeTruthy();
  });
});

describe('scanOutputFlags', () => {
  it('looks no further than --', () => {
    expect(scanOutputFlags(['sandbox', 'exec', '--verbose', '--', 'jq', '--json', '--no-color'])).toEqual({
      json: false,
      verbose: true,
      noColor: false,
    });
  });
});
