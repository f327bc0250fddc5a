import type { Config } from '../config/schema.js';
import { ownRoleOf } from '../dns/mark.js';
import { isSameDkimKey } from '../dns/merge/dkim.js';
import type { LiveRecord } from '../dns/record.js';
import { chooseSelector, dkimName, dkimText, monthlySelector } from '../dns/records/dkim.js';
import type { DkimInput } from '../dns/records/input.js';
import type { Facts } from '../facts/index.js';
import { domainsOf } from './survey.js';

export interface DkimChoice {
  config: Config;
  hostname: string;
  dkim: Facts['dkim'];
  /** All records of the zones. */
  live: readonly LiveRecord[];
  /** Of the marks on our records. */
  installId: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** By domain, the selector that is to take over: published beside the one that signs. */
  next?: ReadonlyMap<string, string>;
  /** By domain, a selector that goes. */
  retired?: ReadonlyMap<string, string>;
}

/**
 * Each domain's keys on the server, the signing one first; without any, a selector named after the month at which DNS
 * holds nothing. A key whose name somebody else's record holds cannot be published there: a new selector, never a
 * replacement (R9). Pure.
 */
export function chooseDkim(choice: DkimChoice): Map<string, DkimInput[]> {
  const { config, hostname, dkim, live, now } = choice;
  return new Map(
    domainsOf(config, hostname).map(([name]) => {
      const signing = dkim.signing.find((entry) => entry.domain === name)?.selector;
      const rank = (selector: string): string => (selector === signing ? `1${selector}` : `0${selector}`);
      const known = dkim.keys
        .filter((key) => key.domain === name)
        .map(({ selector, publicKey }) => ({ selector, publicKey }))
        .filter((key) => key.selector !== choice.retired?.get(name))
        .filter((key) => canStand(name, key, key.selector === signing, choice))
        .sort((a, b) => (rank(a.selector) < rank(b.selector) ? 1 : -1));
      const next = choice.next?.get(name);
      const coming =
        next === undefined || known.some(({ selector }) => selector === next) ? [] : [{ selector: next }];
      const keys = [...known, ...coming];
      return [
        name,
        keys.length > 0 ? keys : [{ selector: chooseSelector(monthlySelector(now), name, live) }],
      ];
    }),
  );
}

function canStand(
  domain: string,
  { selector, publicKey }: { selector: string; publicKey: string },
  signs: boolean,
  { live, installId }: DkimChoice,
): boolean {
  const name = dkimName(selector, domain);
  // Behind the alias of a selector in use may stand our key; the planner looks.
  if (live.some((record) => record.name === name && record.data.type === 'CNAME')) return signs;
  const there = live.filter((record) => record.name === name && record.data.type === 'TXT');
  const [only, second] = there;
  if (only === undefined) return true;
  if (second !== undefined) return false;
  const same = only.data.type === 'TXT' && isSameDkimKey(only.data.text, dkimText(publicKey));
  // Our own record that was spoilt is put right.
  return same || ownRoleOf(only.mark, installId) !== undefined;
}
