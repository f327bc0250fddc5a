import type { RelayAction, RelayOptions, RelaySettings } from '../cli/commands/relay.js';
import type { Context } from '../cli/context.js';
import type { Outcome, Run } from '../cli/outcome.js';
import { type Config, relaySchema } from '../config/schema.js';
import { Exit, SetupError } from '../errors.js';
import { parseAddress, parseDomain } from '../lib/names.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { chooseRelay } from '../relay/choose-relay.js';
import { findPreset, relayPresets, relayTombstones } from '../relay/presets/index.js';
import { type ConfiguredRelay, relaysOf } from '../relay/relays-of.js';
import {
  relayDocument,
  renderRelayList,
  renderRelayPreset,
  renderRelays,
  renderRelayTest,
} from '../ui/report/relay.js';
import { applyConfig } from './apply.js';
import { chooseServer } from './choose-servers.js';
import { connectServer } from './connect-server.js';
import { readRelayLogin } from './relay-login.js';
import { sendThrough } from './send-through.js';
import { openSession, type Session } from './session.js';
import { domainsOf } from './survey.js';
import { tryRelay } from './try-relay.js';

type RelayConfig = ReturnType<typeof relaySchema.parse>;

const settingFlags = {
  provider: 'PROVIDER',
  region: '--region',
  host: '--host',
  port: '--port',
  tls: '--tls',
  spfInclude: '--spf-include',
} as const satisfies Record<keyof RelaySettings, string>;

/** `relay`: sending through a hosted provider. */
export const runRelay: Run<RelayOptions> = async (context, options) => {
  const { action } = options;
  if (action.kind === 'list') return list(context, action.provider);
  const session = await openSession(context, { ...options, needsConfig: true });
  switch (action.kind) {
    case 'set':
      return set(session, action, options);
    case 'show':
      return show(session);
    case 'test':
      return test(session, action);
    case 'off':
      return off(session, action.of, options);
  }
};

function list({ io }: Context, provider: string | undefined): Outcome {
  if (provider === undefined) {
    io.print(renderRelayList(relayPresets, relayTombstones));
    return { exit: Exit.ok, document: { providers: relayPresets, without: relayTombstones } };
  }
  const preset = findPreset(provider);
  if (preset === undefined) throw unknownProvider({ provider });
  io.print(renderRelayPreset(preset));
  return { exit: Exit.ok, document: { provider: preset } };
}

async function set(
  session: Session,
  { of, settings }: Extract<RelayAction, { kind: 'set' }>,
  options: RelayOptions,
): Promise<Outcome> {
  const { config, hostname } = chooseServer(session, session.answers);
  const domain = of === undefined ? undefined : ownDomain(config, hostname, of);
  const chosen = chooseRelay(settings);
  if (!chosen.ok) throw unknownProvider(settings);
  const { relay } = chosen;
  const entry = readEntry({ ...settings, provider: relay.provider });
  const login = await readRelayLogin(session, relay);
  const advice = findPreset(relay.provider)?.dkim.advice;
  if (advice !== undefined) session.context.io.say(`DKIM at ${relay.title}: ${advice}`);
  return applyConfig(session, {
    config: withRelay(config, hostname, domain, entry),
    hostname,
    consents: options.consents,
    yes: options.yes,
    command: 'relay-set',
    prepare: () => ({ request: { relayLogins: new Map([[domain ?? 'server', login]]) } }),
  });
}

async function off(session: Session, of: string | undefined, options: RelayOptions): Promise<Outcome> {
  const { config, hostname } = chooseServer(session, session.answers);
  const domain = of === undefined ? undefined : ownDomain(config, hostname, of);
  return applyConfig(session, {
    config: withRelay(config, hostname, domain, undefined),
    hostname,
    consents: options.consents,
    yes: options.yes,
    command: 'relay-off',
  });
}

function show(session: Session): Outcome {
  const { config, hostname } = chooseServer(session, session.answers);
  const relays = relaysOf(config, hostname);
  session.context.io.print(renderRelays(hostname, relays));
  return { exit: Exit.ok, document: { hostname, relays: relays.map(relayDocument) } };
}

async function test(session: Session, { of, to }: Extract<RelayAction, { kind: 'test' }>): Promise<Outcome> {
  const { context } = session;
  const { config, hostname } = chooseServer(session, session.answers);
  const one = pick(relaysOf(config, hostname), of === undefined ? undefined : parseDomain(of), hostname);
  const recipient = to === undefined ? undefined : parseAddress(to);
  const { connection } = await connectServer(session, session.answers);
  try {
    const stages = await tryRelay(connection, one);
    const loggedIn = stages.some(({ stage, ok }) => stage === 'login' && ok);
    const sender = one.domain ?? domainsOf(config, hostname)[0]?.[0] ?? hostname;
    const mail =
      recipient === undefined || !loggedIn
        ? undefined
        : await sendThrough(session, connection, { from: `postmaster@${sender}`, to: recipient });
    const verdict = { ...relayDocument(one), stages, ...(mail === undefined ? {} : { mail }) };
    context.io.print(renderRelayTest(one, stages, recipient, mail));
    const refused = stages.some(({ ok }) => !ok) || mail?.status === 'bounced';
    const unclear = recipient !== undefined && mail?.status !== 'sent';
    return { exit: refused ? Exit.failed : unclear ? Exit.inconclusive : Exit.ok, document: verdict };
  } finally {
    await connection.close();
  }
}

function pick(
  relays: readonly ConfiguredRelay[],
  domain: string | undefined,
  hostname: string,
): ConfiguredRelay {
  const found = domain === undefined ? relays[0] : relays.find((relay) => relay.domain === domain);
  if (found !== undefined) return found;
  throw new SetupError({
    code: 'E_RELAY_NONE',
    exit: Exit.usage,
    what: `${domain ?? hostname} sends through no relay of its own.`,
    fix: ['smtp-setup relay show tells what there is; smtp-setup relay set PROVIDER sets one.'],
  });
}

function withRelay(
  config: Config,
  hostname: string,
  domain: string | undefined,
  relay: RelayConfig | undefined,
): Config {
  if (domain === undefined) {
    const server = config.servers[hostname];
    return server === undefined
      ? config
      : { ...config, servers: { ...config.servers, [hostname]: replaceRelay(server, relay) } };
  }
  const entry = config.domains[domain];
  return entry === undefined
    ? config
    : { ...config, domains: { ...config.domains, [domain]: replaceRelay(entry, relay) } };
}

function replaceRelay<T extends { relay?: unknown }>(entry: T, relay: T['relay'] | undefined): T {
  const { relay: _before, ...rest } = entry;
  return (relay === undefined ? rest : { ...rest, relay }) as T;
}

function ownDomain(config: Config, hostname: string, text: string): string {
  const domain = parseDomain(text);
  const own = domainsOf(config, hostname).map(([name]) => name);
  if (own.includes(domain)) return domain;
  throw new SetupError({
    code: 'E_DOMAIN_UNKNOWN',
    exit: Exit.usage,
    what: `${hostname} handles no domain ${domain}.`,
    evidence: [`It handles ${own.join(', ') || 'none'}.`],
    fix: [`Add it first: smtp-setup domain add ${domain}`, 'Nothing was changed.'],
  });
}

/** The settings as the configuration has them. Throws E_RELAY_SETTINGS (exit 2), about each flag that is wrong. */
function readEntry(settings: RelaySettings): RelayConfig {
  const parsed = relaySchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new SetupError({
    code: 'E_RELAY_SETTINGS',
    exit: Exit.usage,
    what: 'A relay cannot be set with these values.',
    evidence: parsed.error.issues.map(({ path: [key], message }) => {
      const name = key as keyof RelaySettings;
      return sanitizeLine(`${settingFlags[name]} ${settings[name]}: ${message}`);
    }),
    fix: ['Correct it and run the command again; nothing was changed.'],
  });
}

function unknownProvider(settings: RelaySettings): SetupError {
  const chosen = chooseRelay(settings);
  return new SetupError({
    code: 'E_RELAY_UNKNOWN',
    exit: Exit.usage,
    what: chosen.ok ? `There is no preset for ${settings.provider}.` : chosen.problem,
    fix: [
      chosen.ok ? 'smtp-setup relay list shows those that there are.' : chosen.hint,
      'Nothing was changed.',
    ],
  });
}
