import type { Component } from './component.js';
import type { ServerModel } from './model.js';

/** The relay that all mail takes whose sender domain has none of its own. */
export const serverRelay = 'server';

/**
 * Hosted relays: Postfix's part is its own (transports in master.cf); this one has what they need beside it. Logins lie in
 * /etc/smtp-setup/relay, one file a relay, and are put there by the command that is given them.
 */
export function createRelay(): Component {
  return {
    id: 'relay',
    title: 'Hosted relays',
    needs: ['postfix'],
    applies: (model) => relaysOf(model).length > 0 || (model.has.relayLogins ?? []).length > 0,
    // Postfix itself knows neither PLAIN nor LOGIN as a client; names are checked against the system's authorities.
    packages: (model) => (relaysOf(model).length > 0 ? ['ca-certificates', 'libsasl2-modules'] : []),
    files: () => [],
    units: () => [],
    ports: () => [],
    watch: [],
    validate: () => [],
    probe: () => [],
    // Only once Postfix leans on it no more: the services of this plan run by then.
    steps: (model) =>
      (model.has.relayLogins ?? [])
        .filter((name) => !relaysOf(model).some((relay) => relay.name === name))
        .map((name) => ({
          id: `relay-forget:${name}`,
          run: 'install',
          after: 'services',
          title: `Remove the relay login of ${name === serverRelay ? 'the server' : name}`,
          reason: 'no mail is sent with it any more',
          calls: [{ fn: 'relay_forget', args: [name] }],
        })),
  };
}

function relaysOf(model: ServerModel) {
  return model.relays ?? [];
}
