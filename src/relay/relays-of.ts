import type { Config } from '../config/schema.js';
import { chooseRelay, type Relay } from './choose-relay.js';

/** A relay of the configuration. */
export interface ConfiguredRelay {
  /** `server`, or the sender domain: also the name of its login on the server. */
  name: string;
  domain?: string;
  relay: Relay;
}

/** The relays that a server sends through: its own first, then those of its domains. The schema has checked each. */
export function relaysOf(config: Config, hostname: string): ConfiguredRelay[] {
  const home = config.servers[hostname];
  // A backup passes mail on to the server that it stands in for.
  if (home === undefined || home.profile === 'backup-mx') return [];
  const server = home.relay;
  const domains = Object.entries(config.domains).filter(
    ([, domain]) => (domain.server ?? hostname) === hostname,
  );
  return [
    ...(server === undefined ? [] : [{ name: 'server', relay: decide(server) }]),
    ...domains.flatMap(([name, { relay }]) =>
      relay === undefined ? [] : [{ name, domain: name, relay: decide(relay) }],
    ),
  ];
}

/** The relay that mail of a domain takes: its own, else the server's. */
export function relayFor(relays: readonly ConfiguredRelay[], domain: string): Relay | undefined {
  const own = relays.find((one) => one.domain === domain);
  return (own ?? relays.find((one) => one.domain === undefined))?.relay;
}

function decide(choice: Parameters<typeof chooseRelay>[0]): Relay {
  const chosen = chooseRelay(choice);
  if (!chosen.ok) throw new Error(`a relay passed the schema that is none: ${chosen.problem}`);
  return chosen.relay;
}
