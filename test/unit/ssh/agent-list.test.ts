import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadAgent } from '../../../src/ssh/agent.js';
import { listAgentKeys, parseIdentities } from '../../../src/ssh/agent-list.js';
import { makeKey } from '../../helpers/ssh-server.js';

const number = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const word = (value: string | Buffer) => Buffer.concat([number(value.length), Buffer.from(value)]);
const answer = (...keys: [Buffer, string][]) =>
  Buffer.concat([
    Buffer.from([12]),
    number(keys.length),
    ...keys.flatMap(([blob, text]) => [word(blob), word(text)]),
  ]);
const blobOf = (type: string) => Buffer.concat([word(type), word('x'.repeat(32))]);

let dir: string;
const ends: (() => void)[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'smtp-setup-agent-'));
});
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await rm(dir, { recursive: true, force: true });
});

/** An agent that gives this answer, in two pieces, or hangs up. */
async function agent(body: Buffer | 'hang up' | 'silence'): Promise<string> {
  const path = join(dir, 'socket');
  const server = createServer((socket) => {
    ends.push(() => socket.destroy());
    if (body === 'hang up') socket.destroy();
    else if (body !== 'silence') {
      const frame = word(body);
      socket.write(frame.subarray(0, 3));
      socket.once('data', () => socket.write(frame.subarray(3)));
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  ends.push(() => server.close());
  return path;
}

describe('the agent', () => {
  it('lists its keys; those of types that cannot be used are told, in safe characters', async () => {
    const key = await makeKey('ed25519');
    const path = await agent(
      answer(
        [key.blob, 'good'],
        [blobOf('sk-ssh-ed25519@openssh.com'), 'yubi\u001b[31m'],
        [blobOf('ssh-ed25519-cert-v01@openssh.com'), 'cert'],
        [blobOf('ssh-future'), 'later'],
      ),
    );
    const loaded = await loadAgent(path);
    expect(loaded.keys.map((one) => one.blob)).toEqual([key.blob]);
    expect(loaded.notes).toEqual([
      expect.stringMatching(/^agent: sk-ssh-ed25519@openssh.com yubi was not offered: .*FIDO/),
      expect.stringMatching(/cert was not offered: it is a certificate/),
      expect.stringMatching(/ssh-future later was not offered/),
    ]);
  });

  it.each([
    'hang up',
    Buffer.from([5]),
    Buffer.alloc(300_000, 12),
    answer([blobOf('a'), 'b']).subarray(0, 20),
  ])('that talks nonsense has no keys, and that is told: %#', async (body) => {
    const loaded = await loadAgent(await agent(body as Buffer));
    expect(loaded).toMatchObject({ keys: [], notes: [expect.stringContaining('does not answer')] });
  });

  it('that never answers is given up', async () => {
    await expect(listAgentKeys(await agent('silence'), 20)).rejects.toThrow('no answer');
  });

  it('may be empty', () => {
    expect(parseIdentities(answer())).toEqual([]);
  });
});
