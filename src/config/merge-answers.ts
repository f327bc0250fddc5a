import { readRelayName } from '../relay/relay-name.js';
import type { Answer, Answers } from './answers.js';
import {
  type Config,
  type DomainConfig,
  domainSchema,
  profileSchema,
  relaySchema,
  type ServerConfig,
  serverSchema,
} from './schema.js';

/** The configuration with the server and the domain of the answers added or brought up to date. Pure. */
export function mergeAnswers(config: Config | undefined, answers: Answers): Config {
  const base: Config = config ?? { version: 1, servers: {}, domains: {} };
  const hostname = answers.hostname?.value;
  const domainName = answers.domain?.value;
  const servers = { ...base.servers };
  if (hostname !== undefined) servers[hostname] = mergeServer(base.servers[hostname], answers);
  const domains = { ...base.domains };
  if (domainName !== undefined && answers.dns !== undefined) {
    const before = base.domains[domainName];
    const after: DomainConfig = {
      ...(before ?? domainSchema.parse({ dns: answers.dns.value })),
      dns: answers.dns.value,
    };
    // With one server the file need not say it; a second one makes every domain say where it lives.
    if (hostname !== undefined && (Object.keys(servers).length > 1 || before?.server !== undefined))
      after.server = hostname;
    domains[domainName] = after;
  }
  // Mail of its domains goes elsewhere: no MX can lead to a server that takes none.
  if (hostname !== undefined && servers[hostname]?.profile === 'send-only') {
    for (const [name, domain] of Object.entries(domains))
      if ((domain.server ?? hostname) === hostname) domains[name] = { ...domain, mail: 'send-only' };
  }
  const only = Object.keys(base.servers);
  if (Object.keys(servers).length > 1 && only.length === 1) {
    for (const [name, domain] of Object.entries(domains)) domains[name] = { server: only[0], ...domain };
  }
  return { ...base, servers, domains };
}

function mergeServer(before: ServerConfig | undefined, answers: Answers): ServerConfig {
  const server = { ...(before ?? serverSchema.parse({ ssh: answers.ssh?.value ?? '' })) };
  if (answers.ssh !== undefined) server.ssh = answers.ssh.value;
  if (answers.identity !== undefined) server.identity = answers.identity.value;
  if (answers.hostKey !== undefined) server.hostKey = answers.hostKey.value;
  // A variable that lies around must not turn a server that stands there into something else.
  const isMeant = (answer: Answer | undefined): answer is Answer =>
    answer !== undefined && (before === undefined || answer.origin.from === 'flag');
  if (isMeant(answers.profile)) server.profile = profileSchema.parse(answers.profile.value);
  if (isMeant(answers.ipv4)) server.ipv4 = answers.ipv4.value;
  if (answers.relay !== undefined) server.relay = relaySchema.parse(readRelayName(answers.relay.value));
  const forwarder = answers.serverForwarder?.value ?? server.resolver.forwarder;
  const trustAnchor = answers.trustAnchor?.value ?? server.resolver.trustAnchor;
  server.resolver = {
    ...(forwarder === undefined ? {} : { forwarder }),
    ...(trustAnchor === undefined ? {} : { trustAnchor }),
  };
  return server;
}
