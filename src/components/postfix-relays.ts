import { postfixWord } from './escape.js';
import type { RelayModel, ServerModel } from './model.js';

/** A relay as the templates write it. */
export interface RelayTransport {
  service: string;
  login: string;
  wrapper: boolean;
  mechanisms: string;
}

/** One transport a relay: TLS from the first byte and logins are settings of a Postfix service, not of a destination. */
export function relayTransports({ relays = [] }: ServerModel): RelayTransport[] {
  return relays.map((relay) => ({
    service: serviceOf(relay),
    login: `/etc/smtp-setup/relay/${postfixWord(relay.name)}`,
    wrapper: relay.tls === 'wrapper',
    mechanisms: relay.mechanisms.map((name) => postfixWord(name.toLowerCase())).join(','),
  }));
}

/** Which mail takes which of them: by the sender's domain, and what is left by the server's own. */
export function relayRoutes({ relays = [] }: ServerModel): { all: string; bySender: string } {
  const all = relays.find(({ domain }) => domain === undefined);
  return {
    all: all === undefined ? '' : nextHop(all),
    bySender: relays
      .flatMap((relay) =>
        relay.domain === undefined ? [] : [`{@${postfixWord(relay.domain)} = ${nextHop(relay)}}`],
      )
      .join(' '),
  };
}

/** Next hop of a sender's domain, where it has a relay of its own. */
export function relayOf({ relays = [] }: ServerModel, domain: string): string | undefined {
  const own = relays.find((relay) => relay.domain === domain);
  return own === undefined ? undefined : nextHop(own);
}

const serviceOf = ({ name }: RelayModel): string => `relay-${postfixWord(name)}`;

/** The brackets keep Postfix from asking for an MX of the relay. */
const nextHop = (relay: RelayModel): string =>
  `${serviceOf(relay)}:[${postfixWord(relay.host)}]:${postfixWord(String(relay.port))}`;
