import { expect, it } from 'vitest';
import { createRedactor } from '../../../src/config/redact.js';
import { Secret } from '../../../src/config/secret.js';
import { cloudflare } from '../../../src/dns/providers/cloudflare.js';
import { contextFor } from '../../../src/pipeline/open-provider.js';
import type { Session } from '../../../src/pipeline/session.js';
import { createIo } from '../../../src/ui/io.js';
import { captureStreams } from '../../helpers/streams.js';

it('tells a person what the provider keeps it waiting for, without the token', () => {
  const streams = captureStreams();
  const redactor = createRedactor();
  const { signal } = new AbortController();
  const session = { context: { io: createIo(streams, {}), redactor, env: {}, signal } } as unknown as Session;
  const context = contextFor(session, cloudflare, { token: new Secret('marker-token') });
  context.log('Cloudflare answered HTTP 429 to marker-token; trying again in 300 s (1 of 4)');
  expect(streams.errText).toBe('Cloudflare answered HTTP 429 to [hidden]; trying again in 300 s (1 of 4)\n');
});
