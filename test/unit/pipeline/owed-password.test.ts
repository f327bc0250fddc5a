import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/config/secret.js';
import { SetupError } from '../../../src/errors.js';
import { type OwedPasswords, owePasswords } from '../../../src/pipeline/owed-password.js';
import { openServerRuns, type ServerRunsDeps } from '../../../src/pipeline/server-runs.js';
import type { ServerPlan } from '../../../src/plan/build-server-plan.js';
import { planMailboxes } from '../../../src/plan/plan-mailboxes.js';
import { createIo } from '../../../src/ui/io.js';
import { captureStreams } from '../../helpers/streams.js';

const mailbox = { address: 'ada@example.org', password: new Secret('abcde-fghij') };
const accounts = { mailboxes: [] } as unknown as Parameters<typeof planMailboxes>[1];
const { steps } = planMailboxes([mailbox], accounts, 'lmdb');
const id = steps[0]?.id ?? '';
const broken = new Error('DNS said no');

/** What the terminal got, and how the work ended. */
async function owe(
  work: (owed: OwedPasswords, stop: AbortController, seen: () => string) => void,
  { generated = [mailbox] } = {},
) {
  const streams = captureStreams({ tty: true });
  const stop = new AbortController();
  const ending = owePasswords(
    createIo(streams, {}, {}),
    stop.signal,
    () => generated,
    async (owed) => work(owed, stop, () => streams.errText),
  );
  const [{ status }] = (await Promise.allSettled([ending])) as [PromiseSettledResult<void>];
  return { status, err: streams.errText, out: streams.outText };
}

function fail(): never {
  throw broken;
}

describe('a password that was made up', () => {
  it('is shown when the work fails after the mailbox was made, or may have been', async () => {
    const made = await owe((owed) => {
      owed.reach('due');
      owed.reach('done');
      fail();
    });
    expect(made).toEqual({
      status: 'rejected',
      err: 'The mailbox ada@example.org has this password; it is not shown again:\n  abcde-fghij\n',
      out: '',
    });
    const perhaps = await owe((owed) => {
      owed.reach('due');
      fail();
    });
    expect(perhaps.err).toContain('has this password, or may get it; it is not shown again');
  });

  it('is not shown while no mailbox can have it, nor when the person has it', async () => {
    expect((await owe(fail)).err).toBe('');
    const refused = await owe((owed) => {
      owed.reach('due');
      owed.reach('none');
      fail();
    });
    expect(refused.err).toBe('');
    const shown = await owe((owed) => {
      owed.reach('done');
      owed.shown();
      fail();
    });
    expect(shown.err).toBe('');
    const given = await owe((owed) => owed.reach('done'), { generated: [] });
    expect(given).toEqual({ status: 'fulfilled', err: '', out: '' });
  });

  it('is shown after a good end, too, when nothing else did', async () => {
    const { err, out } = await owe((owed) => owed.reach('done'));
    expect(err).toContain('abcde-fghij');
    expect(out).toBe('');
  });

  it('is shown at the first Ctrl-C, once: the second one ends everything', async () => {
    const { err } = await owe((owed, stop, seen) => {
      owed.reach('due');
      stop.abort();
      expect(seen()).toContain('abcde-fghij');
      owed.reach('done');
      fail();
    });
    expect(err.split('abcde-fghij')).toHaveLength(2);
  });

  it('is one of several that are all shown', async () => {
    const bob = { address: 'bob@example.org', password: new Secret('klmno-pqrst') };
    const { err } = await owe((owed) => owed.reach('done'), { generated: [mailbox, bob] });
    expect(err).toMatch(/ada@[\s\S]*abcde-fghij[\s\S]*bob@[\s\S]*klmno-pqrst/);
  });
});

it('hears of the mailbox before the server does, and once it is made', async () => {
  const heard: string[] = [];
  const lost = new SetupError({ code: 'E_RUN_START', exit: 1, what: 'lost', fix: [] });
  const deps = {
    session: {
      context: { clock: () => 0, env: {}, signal: new AbortController().signal },
    },
    link: {
      connection: {
        exec: async () => {
          heard.push('handed over');
          throw lost;
        },
      },
    },
    progress: { emit: () => undefined, stop: () => undefined },
    onStep: (step: string, state: string) => heard.push(`${step} ${state}`),
  } as unknown as ServerRunsDeps;
  const server = { generation: 0, steps } as unknown as ServerPlan;
  const texts = { library: new Map(), start: '', follow: '' } as unknown as Parameters<
    typeof openServerRuns
  >[2];
  await expect(openServerRuns({ server, secrets: [] }, deps, texts).run('install')).rejects.toBe(lost);
  expect(heard).toEqual([`${id} due`, 'handed over']);
});
