import type { Config } from '../config/schema.js';
import { canonicalRecord } from '../dns/canonical.js';
import type { LiveRecord } from '../dns/record.js';
import type { Consents } from '../dns/zone-plan.js';
import { Exit, SetupError } from '../errors.js';
import type { AccountsState } from '../facts/accounts.js';
import { hasForeignPostfix } from '../facts/foreign-postfix.js';
import type { Facts } from '../facts/index.js';
import { parseAddress } from '../lib/names.js';
import type { OnConflict } from '../plan/build-server-plan.js';
import type { ManualStep, ServerStep } from '../plan/step.js';
import { domainsOf } from './survey.js';

export type TakeOverConsent = NonNullable<Consents['takeOverMx']>;

/** `--take-over-mx`: a list of recipients, or `@` for one mailbox that gets everything. Throws E_TAKE_OVER_LIST (exit 2). */
export function parseTakeOver(text: string): TakeOverConsent {
  if (text.trim() === '@') return { catchAll: true };
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length > 0 && !words.includes('@'))
    return { recipients: words.map((word) => parseAddress(word)) };
  throw new SetupError({
    code: 'E_TAKE_OVER_LIST',
    exit: Exit.usage,
    what: 'A take-over needs the addresses that get mail today, or a catch-all.',
    evidence: [words.length === 0 ? 'no address is given' : '@ stands for all addresses, so it stands alone'],
    fix: [
      'List them: --take-over-mx ada@example.org,info@example.org',
      'Or have every address reach one mailbox: --take-over-mx @',
    ],
  });
}

/** Domains whose mail shall come to this server and goes elsewhere today, with the hosts it goes to. Pure. */
export function findForeignMx(
  config: Config,
  hostname: string,
  zones: readonly { live: readonly LiveRecord[] }[],
): Map<string, string[]> {
  const records = zones.flatMap(({ live }) => live.map(canonicalRecord));
  const found = new Map<string, string[]>();
  for (const [domain, { mail }] of domainsOf(config, hostname)) {
    if (mail !== 'full') continue;
    const exchanges = records
      .flatMap(({ name, data }) => (name === domain && data.type === 'MX' ? [data] : []))
      .sort((a, b) => a.preference - b.preference);
    const best = exchanges.find(({ exchange }) => exchange === hostname)?.preference ?? 65_536;
    const rivals = exchanges.filter(
      ({ exchange, preference }) => exchange !== '' && exchange !== hostname && preference <= best,
    );
    if (rivals.length > 0)
      found.set(
        domain,
        rivals.map(({ exchange }) => exchange),
      );
  }
  return found;
}

/**
 * The configuration as a take-over needs it: unknown recipients are put off, not refused (amendment A1); without one,
 * as it is. Pure.
 */
export function prepareTakeOver(
  config: Config,
  hostname: string,
  zones: readonly { live: readonly LiveRecord[] }[],
  consents: Consents,
): Config {
  const server = config.servers[hostname];
  if (server === undefined || consents.takeOverMx === undefined) return config;
  if (findForeignMx(config, hostname, zones).size === 0) return config;
  return {
    ...config,
    servers: { ...config.servers, [hostname]: { ...server, unknownRecipients: 'defer' } },
  };
}

/**
 * The same where Postfix's own configuration is to give way to ours: whoever it knew as a recipient may have no mailbox
 * yet. Pure.
 */
export function prepareForeignPostfix(
  config: Config,
  hostname: string,
  facts: Pick<Facts, 'packages' | 'files' | 'state'>,
  onConflict: OnConflict,
): Config {
  const server = config.servers[hostname];
  if (server === undefined || onConflict !== 'take-over' || !hasForeignPostfix(facts)) return config;
  return {
    ...config,
    servers: { ...config.servers, [hostname]: { ...server, unknownRecipients: 'defer' } },
  };
}

export interface TakeOverInput {
  consent: TakeOverConsent;
  /** Domains that are taken over; nothing is asked of the others. */
  domains: readonly string[];
  accounts: Pick<AccountsState, 'mailboxes' | 'aliases'>;
  /** Mailboxes that the same run creates. */
  coming: readonly string[];
  mapType: string;
}

/**
 * The server's part of a take-over: whoever gets mail today must get it here. Returns the steps that make a catch-all.
 * Throws E_MX_RECIPIENTS (exit 2) before anything is touched when somebody has neither mailbox nor alias.
 */
export function planRecipients({ consent, domains, accounts, coming, mapType }: TakeOverInput): ServerStep[] {
  if (domains.length === 0) return [];
  const mailboxes = [...accounts.mailboxes, ...coming];
  const aliases = accounts.aliases.map(({ address }) => address);
  if ('catchAll' in consent) {
    return domains
      .filter((domain) => !aliases.includes(`@${domain}`))
      .map((domain) => makeCatchAll(domain, mailboxes, mapType));
  }
  const strangers = consent.recipients.filter((address) => !domains.includes(domainOf(address)));
  if (strangers.length > 0) {
    throw recipientsError(
      'Addresses are listed of domains whose mail is not taken over.',
      strangers,
      `Taken over: ${domains.join(', ')}. List addresses of these only.`,
    );
  }
  const missing = consent.recipients.filter((address) => !reaches(address, mailboxes, aliases));
  if (missing.length > 0) {
    throw recipientsError(
      'Somebody who gets mail today has neither a mailbox nor an alias on the new server.',
      missing,
      'Create them first: smtp-setup init --mailbox ADDRESS',
    );
  }
  return [];
}

function reaches(address: string, mailboxes: readonly string[], aliases: readonly string[]): boolean {
  const domain = domainOf(address);
  const [local = ''] = address.split('@');
  const base = `${local.split('+')[0]}@${domain}`;
  const known = [address, base].some((one) => mailboxes.includes(one) || aliases.includes(one));
  // These reach the first mailbox by themselves (RFC 2142).
  const role = ['postmaster', 'abuse'].includes(local) && mailboxes.length > 0;
  return known || role || aliases.includes(`@${domain}`);
}

function makeCatchAll(domain: string, mailboxes: readonly string[], mapType: string): ServerStep {
  const target = mailboxes.find((address) => domainOf(address) === domain);
  if (target === undefined) {
    throw recipientsError(
      `There is no mailbox of ${domain} that could get all of its mail.`,
      [],
      `Create one: smtp-setup init --mailbox NAME@${domain}`,
    );
  }
  return {
    id: `catch-all:${domain}`,
    run: 'install',
    title: `Deliver all other mail to ${domain} to ${target}`,
    reason: 'nobody who gets mail today is left out',
    calls: [{ fn: 'accounts_alias', args: [`@${domain}`, target, mapType] }],
  };
}

/** What the user has to think of once the old server's stragglers have been seen. `now` in milliseconds. */
export function recallDeferral(hostname: string, now: number, takenOver: boolean): ManualStep {
  const day = new Date(now + 7 * 86_400_000).toISOString().slice(0, 10);
  return {
    id: 'unknown-recipients',
    title: takenOver
      ? `From ${day} on: refuse unknown recipients again`
      : 'Seven days after the take-over: refuse unknown recipients again',
    detail: [
      `Senders to unknown addresses are told to try again (450). Look for them in the log, create who is missing, then set "unknownRecipients: reject" for ${hostname} in smtp-setup.yaml and run smtp-setup apply.`,
    ],
  };
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

function recipientsError(what: string, evidence: readonly string[], fix: string): SetupError {
  return new SetupError({
    code: 'E_MX_RECIPIENTS',
    exit: Exit.usage,
    what,
    evidence,
    fix: [fix, 'Nothing was changed.'],
  });
}
