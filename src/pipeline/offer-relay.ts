import { checkPort25 } from '../checks/preflight/network.js';
import type { Config } from '../config/schema.js';
import { relaySchema } from '../config/schema.js';
import type { RelayLogin } from '../plan/plan-relay-logins.js';
import type { RelayChoice } from '../relay/choose-relay.js';
import { customRelay, findPreset, relayPresets } from '../relay/presets/index.js';
import { parseRelayName } from '../relay/relay-name.js';
import { relaysOf } from '../relay/relays-of.js';
import type { Reached } from './prepare.js';
import { readRelayLogin } from './relay-login.js';
import type { Session } from './session.js';

export interface RelayOffer {
  config: Config;
  logins: ReadonlyMap<string, RelayLogin>;
}

/**
 * Where the network blocks port 25, `init` offers a hosted relay instead of giving up; one that was asked for by flag or
 * stands in the configuration gets its login. At a terminal only: without one, the preflight says what is needed.
 */
export async function offerRelay(
  session: Session,
  { facts }: Reached,
  given: Config,
  hostname: string,
): Promise<RelayOffer> {
  const server = given.servers[hostname];
  if (server === undefined) return { config: given, logins: new Map() };
  const blocked = checkPort25(facts);
  const choice =
    server.relay ??
    (blocked !== undefined && session.asker.interactive ? await ask(session, blocked) : undefined);
  if (choice === undefined) return { config: given, logins: new Map() };
  const relay = relaySchema.parse(choice);
  const config: Config = { ...given, servers: { ...given.servers, [hostname]: { ...server, relay } } };
  const wanted = relaysOf(config, hostname).find(({ domain }) => domain === undefined)?.relay;
  const there = facts.relayLogins.some(({ name, host }) => name === 'server' && host === wanted?.host);
  const asked = session.answers.relayUser !== undefined || session.answers.relayPasswordFile !== undefined;
  if (wanted === undefined || (there && !asked)) return { config, logins: new Map() };
  return { config, logins: new Map([['server', await readRelayLogin(session, wanted)]]) };
}

async function ask({ asker }: Session, blocked: string): Promise<RelayChoice | undefined> {
  const provider = await asker.choose({
    key: 'relay',
    message: `${blocked} Send through a hosted provider?`,
    choices: [
      ...relayPresets.map(({ id, title }) => ({ value: id, name: title })),
      { value: customRelay, name: 'Another one, by its host name' },
      { value: 'none', name: 'No: I will have port 25 opened first' },
    ],
    flag: '--relay',
  });
  if (provider === 'none') return undefined;
  if (provider === customRelay) {
    const host = await asker.text({
      key: 'relayHost',
      message: 'Host name of the relay? (HOST or HOST:PORT)',
      validate: (value) => {
        const parsed = parseRelayName(value);
        return parsed.ok ? true : `${parsed.problem} ${parsed.hint ?? ''}`;
      },
    });
    const [name = '', port] = host.trim().toLowerCase().split(':');
    return { provider: customRelay, host: name, ...(port === undefined ? {} : { port: Number(port) }) };
  }
  const regions = findPreset(provider)?.regions;
  if (regions === undefined) return { provider };
  const region = await asker.choose({
    key: 'relayRegion',
    message: 'Which region?',
    choices: Object.keys(regions.parts).map((name) => ({ value: name, name })),
    ...(regions.default === undefined ? {} : { default: regions.default }),
  });
  return { provider, ...(region === regions.default ? {} : { region }) };
}
