import { setTimeout as sleep } from 'node:timers/promises';
import { ConversationError } from './line-client.js';
import { SmtpClient } from './smtp-client.js';

/** Milliseconds between two looks whether the server listens by now. */
const every = 200;
/** Milliseconds for each reply: longer than postscreen looks at a client that it does not know. */
const patience = 20_000;

/**
 * Makes this machine known to Postfix's postscreen, which keeps a client that it has not seen before waiting for some
 * seconds (postscreen_greet_wait): a checker that comes later is let through at once. `addresses` are IP literals, whose
 * port need not be open yet. Ends with `signal` and never rejects; what comes of it shows in time only.
 */
export async function introduce(addresses: readonly string[], signal: AbortSignal, port = 25): Promise<void> {
  await Promise.all(addresses.map((address) => greet(address, port, signal)));
}

async function greet(address: string, port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const client = await SmtpClient.connect({ address, port, servername: '', timeout: patience });
      await client.quit();
      return;
    } catch (error) {
      // Nothing leans on this: whatever else is wrong there, the checks that come later say it.
      if (!(error instanceof ConversationError) || error.reason !== 'refused') return;
    }
    await sleep(every, undefined, { ref: false });
  }
}
