import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { serverSchema } from '../../../src/config/schema.js';
import { type Facts, probes } from '../../../src/facts/index.js';
import type { ProbeOutput } from '../../../src/facts/probe.js';
import { preflight, type Reached } from '../../../src/pipeline/prepare.js';

const recorded: Record<string, ProbeOutput> = JSON.parse(
  readFileSync(new URL('../facts/fixtures/debian-13-fresh.json', import.meta.url), 'utf8'),
);
const facts = Object.fromEntries(
  Object.entries(probes).map(([name, probe]) => [
    name,
    probe.parse(recorded[name] ?? { code: 127, stdout: '' }),
  ]),
) as Facts;

/** The verdict on the server's clock when the facts were asked for at `askedAt`, and the wizard an age ago. */
function clockAt(askedAt: number) {
  const link = { connection: { remoteAddress: '' } };
  const reached = { link, components: [], facts: { ...facts, outbound: [] }, askedAt } as unknown as Reached;
  const server = serverSchema.parse({ ssh: 'root@203.0.113.7' });
  return preflight(reached, 'mail.example.org', server, [], () => undefined).find(
    ({ id }) => id === 'SRV-CLOCK',
  );
}

it('judges the clock by the moment it was read, however long the wizard took', () => {
  const epoch = facts.clock.epoch ?? 0;
  expect(epoch).toBeGreaterThan(0);
  expect(clockAt(epoch)?.status).toBe('pass');
  expect(clockAt(epoch - 60)).toMatchObject({
    status: 'warn',
    observed: expect.stringContaining('60 s ahead'),
  });
});
