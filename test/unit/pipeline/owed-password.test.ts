import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/config/secret.js';
import { SetupError } from '../../../src/errors.js';
import { type OwedPassword, owePassword } from '../../../src/pipeline/owed-password.js';
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
  work: (owed: OwedPassword, stop: AbortController, seen: () => string) => void,
  { json = false, generated = true } = {},
) {
  const streams = captureStreams({ tty: true });
  const stop = new AbortController();
  const ending = owePassword(
    createIo(streams, {}, { json }),
    stop.signal,
    generated ? mailbox : undefined,
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
      owed.follow(id, 'due');
      owed.follow(id, 'done');
      fail();
    });
    expect(made).toEqual({
      status: 'rejected',
      err: 'The mailbox ada@example.org was made, with this password; it is not shown again:\n  abcde-fghij\n',
      out: '',
    });
    const perhaps = await owe((owed) => {
      owed.follow(id, 'due');
      fail();
    });
    expect(perhaps.err).toContain('was made, or may still be, with this password');
  });

  it('is not shown while there can be no mailbox, nor when the summary had it', async () => {
    expect((await owe(fail)).err).toBe('');
    const other = await owe((owed) => {
      owed.follow('packages', 'done');
      owed.summarized();
      fail();
    });
    expect(other.err).toBe('');
    const shown = await owe((owed) => {
      owed.follow(id, 'done');
      owed.summarized();
    });
    expect(shown).toEqual({ status: 'fulfilled', err: '', out: '' });
    const given = await owe((owed) => owed.follow(id, 'done'), { generated: false });
    expect(given.err).toBe('');
  });

  it('is on the terminal where the result is a document', async () => {
    const { err, out } = await owe(
      (owed) => {
        owed.follow(id, 'done');
        owed.summarized();
      },
      { json: true },
    );
    expect(err).toContain('abcde-fghij');
    expect(out).toBe('');
  });

  it('is shown at the first Ctrl-C, once: the second one ends everything', async () => {
    const { err } = await owe((owed, stop, seen) => {
      owed.follow(id, 'due');
      stop.abort();
      expect(seen()).toContain('abcde-fghij');
      owed.follow(id, 'done');
      fail();
    });
    expect(err.split('abcde-fghij')).toHaveLength(2);
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
