import { describe, expect, it } from 'vitest';
import { SetupError } from '../../../src/errors.js';
import { createReconnector } from '../../../src/ssh/reconnect.js';

const fault = (code: string) => new SetupError({ code, exit: 2, what: `${code} happened.` });

/** Each entry is what one attempt gives: a code to fail with, or 'ok'. */
function reconnector(outcomes: string[], delaysMs: number[] = [1, 2, 4]) {
  const waits: number[] = [];
  const said: string[] = [];
  const connector = createReconnector<string>({
    async open() {
      const next = outcomes.shift() ?? 'E_SSH_REFUSED';
      if (next === 'ok') return 'connection';
      throw fault(next);
    },
    async wait(ms) {
      waits.push(ms);
    },
    log: (_level, message) => void said.push(message),
    delaysMs,
  });
  return { connector, waits, said };
}

describe('createReconnector', () => {
  it('does not try a first connection again', async () => {
    const { connector, waits } = reconnector(['E_SSH_REFUSED', 'ok']);
    await expect(connector.connect()).rejects.toMatchObject({ code: 'E_SSH_REFUSED' });
    expect(waits).toEqual([]);
  });

  it('tries again with growing pauses once it was connected, and says so', async () => {
    const { connector, waits, said } = reconnector(['ok', 'E_SSH_TIMEOUT', 'E_SSH_HANDSHAKE_CUT', 'ok']);
    await connector.connect();
    await expect(connector.connect()).resolves.toBe('connection');
    expect(waits).toEqual([1, 2]);
    expect(said[0]).toContain('E_SSH_TIMEOUT happened.');
  });

  it('gives up when the pauses are used up', async () => {
    const { connector, waits } = reconnector(['ok']);
    await connector.connect();
    await expect(connector.connect()).rejects.toMatchObject({ code: 'E_SSH_REFUSED' });
    expect(waits).toEqual([1, 2, 4]);
  });

  it('believes a refusal as soon as it was told to, and no other failure', async () => {
    const { connector, waits } = reconnector(['ok', 'E_SSH_REFUSED', 'E_SSH_TIMEOUT', 'E_SSH_REFUSED', 'ok']);
    await connector.connect();
    await expect(connector.connect(undefined, 2)).rejects.toMatchObject({ code: 'E_SSH_REFUSED' });
    expect(waits).toEqual([1, 2]);
    await expect(connector.connect(undefined, 2)).resolves.toBe('connection');
  });

  it.each(['E_SSH_AUTH', 'E_HOST_KEY_CHANGED', 'E_CANCELLED'])('takes %s as final', async (code) => {
    const { connector, waits } = reconnector(['ok', code, 'ok']);
    await connector.connect();
    await expect(connector.connect()).rejects.toMatchObject({ code });
    expect(waits).toEqual([]);
  });

  it('can be cancelled while it waits', async () => {
    const abort = new AbortController();
    let attempts = 0;
    const connector = createReconnector({
      async open() {
        if (attempts++ === 0) return 'connection';
        throw fault('E_SSH_REFUSED');
      },
      async wait(_ms, signal) {
        abort.abort();
        signal?.throwIfAborted();
      },
      log: () => undefined,
    });
    await connector.connect();
    await expect(connector.connect(abort.signal)).rejects.toMatchObject({ code: 'E_CANCELLED', exit: 130 });
    expect(attempts).toBe(2);
  });
});
