import { expect, it } from 'vitest';
import type { InitOptions } from '../../../src/cli/commands/init.js';
import type { Context } from '../../../src/cli/context.js';
import type { Answers } from '../../../src/config/answers.js';
import { configSchema } from '../../../src/config/schema.js';
import { offerMenu } from '../../../src/pipeline/init-menu.js';
import type { Session } from '../../../src/pipeline/session.js';
import { type ScriptedAnswer, scriptAnswers } from '../../helpers/scripted-asker.js';

const hostname = 'mail.example.org';
const config = configSchema.parse({
  version: 1,
  servers: { [hostname]: { ssh: 'root@198.51.100.7' } },
  domains: { 'example.org': { dns: 'cloudflare' } },
});
const options: InitOptions = {
  consents: { allowUpdate: false, allowDelete: false, allowUnproxy: false, onConflict: 'stop' },
  flags: {},
  yes: false,
};

interface Case {
  script?: readonly (readonly [string, ScriptedAnswer])[];
  interactive?: boolean;
  finished?: boolean;
  answers?: Answers;
}

/** What was asked, and what came of it. */
async function offer({ script = [], interactive = true, finished = true, answers = {} }: Case) {
  const asker = scriptAnswers(script);
  const session = {
    asker: { ...asker, interactive },
    loaded: { config },
    lock: { version: 1, servers: finished ? { [hostname]: {} } : {}, domains: {} },
    answers,
  } as unknown as Session;
  const outcome = await offerMenu(session, {} as Context, options);
  asker.finish();
  return { outcome, asked: asker.asked };
}

it('asks nothing without a terminal, on a server that is not finished, or when flags say what is meant', async () => {
  const nothing = { outcome: { wizard: 'as-given' }, asked: [] };
  expect(await offer({ interactive: false })).toEqual(nothing);
  expect(await offer({ finished: false })).toEqual(nothing);
  const mailbox = { value: 'ada@example.org', origin: { from: 'flag' as const, name: '--mailbox' } };
  expect(await offer({ answers: { mailbox } })).toEqual(nothing);
});

it('asks what shall be done, though the file says how to get to the server; the wizard is a choice, too', async () => {
  const ssh = { value: 'root@198.51.100.7', origin: { from: 'file' as const } };
  expect(await offer({ script: [['menu', 'init']], answers: { ssh } as unknown as Answers })).toEqual({
    outcome: { wizard: 'another' },
    asked: ['menu'],
  });
});

it('goes back to the first list', async () => {
  const script = [
    ['menu', 'undo'],
    ['menu-undo', 'back'],
    ['menu', 'init'],
  ] as const;
  expect((await offer({ script })).outcome).toEqual({ wizard: 'another' });
});

it('refuses an address that cannot be before the command begins', async () => {
  const script = [
    ['menu', 'mailboxes'],
    ['menu-mailboxes', 'add'],
    ['menu-mailbox', 'no address'],
  ] as const;
  await expect(offer({ script })).rejects.toThrow(/the scripted answer to "menu-mailbox" was refused/);
});
