import type { Secret } from '../config/secret.js';
import { Exit, SetupError } from '../errors.js';
import type { RelayLoginState } from '../facts/relay-logins.js';
import type { ConfiguredRelay } from '../relay/relays-of.js';
import type { RunSecret, ServerStep } from './step.js';

/** What somebody was given by the provider. */
export interface RelayLogin {
  user: string;
  password: Secret;
}

export interface RelayLoginPlan {
  steps: ServerStep[];
  secrets: RunSecret[];
}

/**
 * Logins that were given go to the server, tried before Postfix leans on them; those that nobody gave must lie there
 * for the same host. Throws E_RELAY_LOGIN (exit 2).
 */
export function planRelayLogins(
  relays: readonly ConfiguredRelay[],
  present: readonly RelayLoginState[],
  given: ReadonlyMap<string, RelayLogin>,
): RelayLoginPlan {
  const plan: RelayLoginPlan = { steps: [], secrets: [] };
  for (const { name, relay } of relays) {
    const login = given.get(name);
    if (login === undefined) {
      const there = present.find((one) => one.name === name);
      if (there?.host !== relay.host) throw missingLogin(name, relay.provider, relay.host, there?.host);
      continue;
    }
    plan.steps.push(relayLoginStep({ name, relay }));
    plan.secrets.push({ name: secretOf(name), value: `${login.user}\n${login.password.reveal()}\n` });
  }
  return plan;
}

/** Tries a login that lies among the run's secrets, user name and password a line each, and keeps it. */
export function relayLoginStep({ name, relay }: ConfiguredRelay): ServerStep {
  const { host, port, tls, login } = relay;
  return {
    id: `relay-login:${name}`,
    run: 'install',
    title: `Take over the login for ${host}`,
    reason: 'it is tried there first',
    calls: [
      {
        fn: 'relay_store',
        args: [name, host, String(port), tls, login.mechanisms.join(','), secretOf(name)],
      },
    ],
  };
}

const secretOf = (name: string): string => `relay-${name}`;

function missingLogin(name: string, provider: string, host: string, other: string | undefined): SetupError {
  const domain = name === 'server' ? '' : ` --domain ${name}`;
  return new SetupError({
    code: 'E_RELAY_LOGIN',
    exit: Exit.usage,
    what: `The server has no login for the relay ${host}.`,
    evidence: [
      other === undefined
        ? 'The configuration names the relay; logins are never written there.'
        : `It has one for ${other}.`,
    ],
    fix: [`Give it: smtp-setup relay set ${provider}${domain}`, 'Nothing was changed.'],
  });
}
