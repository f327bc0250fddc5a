import { cloudflare } from '../../../../src/dns/providers/cloudflare.js';
import type { DnsProvider, ProviderContext } from '../../../../src/dns/providers/provider.js';
import { CloudflareEmulator, type EmulatorOptions } from '../../../../src/sandbox/cloudflare/emulator.js';

export const token = 'provider-token-0123456789abcdefghijklm';

export interface Opened {
  emulator: CloudflareEmulator;
  provider: DnsProvider;
  log: string[];
  waits: number[];
  requests: { url: string; headers: Record<string, string>; method: string }[];
}

/** The provider over the emulator, without a socket between them. */
export async function openOverEmulator(
  settings: { emulator?: EmulatorOptions; context?: Partial<ProviderContext> } = {},
): Promise<Opened> {
  const emulator = new CloudflareEmulator(settings.emulator);
  emulator.addZone({ name: 'example.test' });
  emulator.addToken({ value: token, access: 'edit', zones: 'all' });
  const log: string[] = [];
  const waits: number[] = [];
  const requests: Opened['requests'] = [];
  const answerFetch: typeof fetch = async (input, init) => {
    const url = new URL(String(input));
    const headers = Object.fromEntries(new Headers(init?.headers));
    const method = init?.method ?? 'GET';
    requests.push({ url: url.href, headers, method });
    const body = Buffer.from(init?.body === undefined ? '' : String(init.body));
    const answer = await emulator.answer({ method, url: url.pathname + url.search, headers, body });
    if (answer === 'reset') throw new TypeError('fetch failed', { cause: new Error('socket hang up') });
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  };
  const provider = await cloudflare.open({
    credentials: { token },
    fetch: answerFetch,
    signal: new AbortController().signal,
    log: (line) => log.push(line),
    wait: async (milliseconds) => void waits.push(milliseconds),
    ...settings.context,
  });
  return { emulator, provider, log, waits, requests };
}
