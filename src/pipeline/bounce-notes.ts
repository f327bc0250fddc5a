import type { Config } from '../config/schema.js';
import type { DnsRecord } from '../dns/record.js';
import type { AccountsState } from '../facts/accounts.js';
import type { ManualStep } from '../plan/step.js';
import { domainsOf } from './survey.js';

/**
 * Whoever sends gets bounces, at the address the mail came from. A domain that only sends and has no MX loses them, unless
 * an alias leads them somewhere: said for each, with the command. Pure.
 */
export function bounceNotes(
  config: Config,
  hostname: string,
  live: readonly DnsRecord[],
  { aliases }: Pick<AccountsState, 'aliases'>,
): ManualStep[] {
  return domainsOf(config, hostname).flatMap(([name, { mail }]) => {
    if (mail !== 'send-only' || takesMail(name, live)) return [];
    if (aliases.some(({ address }) => address === `@${name}`)) return [];
    return [
      {
        id: `bounces:${name}`,
        title: `Say who gets bounces for ${name}: it has no MX, so they come to nobody`,
        detail: [`smtp-setup alias add @${name} YOU@ELSEWHERE`],
      },
    ];
  });
}

/** A null MX (RFC 7505) takes none. */
function takesMail(name: string, live: readonly DnsRecord[]): boolean {
  return live.some(({ name: at, data }) => at === name && data.type === 'MX' && data.exchange !== '');
}
