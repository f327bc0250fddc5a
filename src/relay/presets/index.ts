import type { RelayPreset, RelayTombstone } from '../preset.js';
import { mailboxHosts } from './mailbox-hosts.js';
import { transactionalAToM } from './transactional-a-m.js';
import { transactionalNToZ } from './transactional-n-z.js';
import { withoutRelay } from './without-relay.js';

/** Any other host: what the user gives is all that is known of it. */
export const customRelay = 'custom';

/** Every provider that we know how to send through, by id. A new one is one entry. */
export const relayPresets: readonly RelayPreset[] = [
  ...transactionalAToM,
  ...transactionalNToZ,
  ...mailboxHosts,
].sort((a, b) => a.id.localeCompare(b.id));

export const relayTombstones: readonly RelayTombstone[] = withoutRelay;

type Named = Pick<RelayPreset, 'id' | 'aliases'>;

const answersTo = (name: string) => (one: Named) => one.id === name || one.aliases?.includes(name) === true;

/** By id or by one of the names that people know it by. */
export function findPreset(name: string): RelayPreset | undefined {
  return relayPresets.find(answersTo(name.toLowerCase()));
}

export function findTombstone(name: string): RelayTombstone | undefined {
  return relayTombstones.find(answersTo(name.toLowerCase()));
}
