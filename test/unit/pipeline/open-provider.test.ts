import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../../src/config/redact.js';
import { Secret } from '../../../src/config/secret.js';
import { cloudflare } from '../../../src/dns/providers/cloudflare.js';
import { providers } from '../../../src/dns/providers/index.js';
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

describe('the address of an API in the environment', () => {
  const open = (definition: (typeof providers)[number], value: string) => {
    const env = { [definition.baseUrlEnv ?? '']: value };
    const session = {
      context: {
        io: createIo(captureStreams(), {}),
        redactor: createRedactor(),
        env,
        signal: new AbortController().signal,
      },
    } as unknown as Session;
    return contextFor(session, definition, {}).baseUrl;
  };
  const withOne = providers.filter(({ baseUrlEnv }) => baseUrlEnv !== undefined);

  it.each(withOne)('of $title is read, and left alone where the variable is empty', (definition) => {
    expect(open(definition, 'http://127.0.0.1:8080/v4')).toBe('http://127.0.0.1:8080/v4');
    expect(open(definition, '')).toBeUndefined();
  });

  it.each([
    'nonsense',
    'file:///etc/passwd',
    'api.example.org/v4',
    'https://ada:marker@api.example.org/',
    'https://:marker@api.example.org/',
    'https://ada:mar/marker@api.example.org',
    'https://api.example.org/?key=marker',
  ])('is refused before anybody is asked, and nothing secret is shown: %s', (value) => {
    for (const definition of withOne) {
      const refused = expect.objectContaining({
        code: 'E_DNS_ENDPOINT',
        exit: 2,
        message: expect.stringContaining(definition.title),
        evidence: [expect.not.stringContaining('marker')],
        fix: [expect.stringContaining(definition.baseUrlEnv ?? 'none')],
      });
      expect(() => open(definition, value)).toThrow(refused);
    }
  });
});
