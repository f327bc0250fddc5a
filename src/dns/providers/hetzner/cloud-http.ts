import { setTimeout as sleep } from 'node:timers/promises';
import { sanitizeLine } from '../../../lib/sanitize.js';
import { asArray, asNumber, asObject, asText, HttpApi, HttpFailure, type Loose } from '../http-api.js';
import type { ProviderContext } from '../provider.js';
import { requireToken } from '../require-token.js';
import { backOff, retryRead } from '../retry.js';

const defaultBaseUrl = 'https://api.hetzner.cloud/v1';
const mostPolls = 30;

/** The Cloud API as its token sees it: DNS zones and the addresses of servers are parts of one project. */
export function openCloudHttp(context: ProviderContext, tokenFix: readonly string[]): HttpApi {
  const token = requireToken('Hetzner', context.credentials.token, tokenFix);
  const baseUrl = context.baseUrl ?? defaultBaseUrl;
  if (baseUrl !== defaultBaseUrl) context.log(`Hetzner API endpoint: ${sanitizeLine(baseUrl, 200)}`);
  return new HttpApi(context, {
    title: 'Hetzner',
    baseUrl: baseUrl.replace(/\/+$/, ''),
    headers: { authorization: `Bearer ${token}` },
    tokenFix,
    describe: describeError,
  });
}

/** Starts an action and waits until it has ended (https://docs.hetzner.cloud/reference/cloud#actions). */
export async function runAction(http: HttpApi, path: string, body: Loose): Promise<void> {
  const answer = asObject(await http.send('POST', path, body));
  let action = asObject(answer.action);
  for (let polls = 0; polls < mostPolls; polls++) {
    if (action.status === 'success') return;
    if (action.status === 'error') {
      const { code, message } = asObject(action.error);
      throw new HttpFailure(sanitizeLine(`the action failed: ${asText(code)} ${asText(message)}`, 300), 422);
    }
    if (polls > 0) await pause(http.context, backOff(Math.min(polls, 3)));
    const id = asNumber(action.id);
    const seen = await retryRead(
      http.context,
      () => http.send('GET', `/actions/${id}`),
      (error) => {
        const failure = http.classify(error);
        return failure.kind === 'transient' ? { ...failure, reason: `Hetzner: ${failure.text}` } : undefined;
      },
    );
    action = asObject(asObject(seen).action);
  }
  throw new HttpFailure('the action is still running');
}

export function readTotal(answer: Loose): number {
  return asNumber(asObject(asObject(answer.meta).pagination).total_entries);
}

async function pause(context: ProviderContext, milliseconds: number): Promise<void> {
  await (context.wait?.(milliseconds) ?? sleep(milliseconds, undefined, { signal: context.signal }));
}

function describeError(body: unknown): string {
  const { code, message, details } = asObject(asObject(body).error);
  const fields = asArray(asObject(details).fields).map((field) => {
    const { name, messages } = asObject(field);
    return `${asText(name)}: ${asArray(messages).map(asText).join(', ')}`;
  });
  return [asText(code), asText(message), ...fields].filter((part) => part !== '').join('; ');
}
