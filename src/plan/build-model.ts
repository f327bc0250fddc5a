import {
  type BackupModel,
  type DomainModel,
  type DomainWeb,
  defaultLimits,
  type RelayModel,
  type ServerHas,
  type ServerModel,
  type SingleAddress,
  type Versions,
} from '../components/model.js';
import { atLeast } from '../components/version.js';
import type { ServerConfig } from '../config/schema.js';
import type { Facts } from '../facts/index.js';
import type { OsRelease } from '../facts/os-release.js';
import { parseSize } from '../lib/size.js';
import type { ConfiguredRelay } from '../relay/relays-of.js';
import { readFirewall } from './read-firewall.js';

export interface ModelInput {
  hostname: string;
  server: ServerConfig;
  /** Domains of this server with their selectors, the signing one first; `next` signs once all is visible. */
  domains: readonly {
    name: string;
    selectors: readonly string[];
    receives?: boolean;
    perDay?: number;
    web?: DomainWeb;
    next?: string;
  }[];
  /** Preflight has refused every other system. */
  os: OsRelease;
  facts: Pick<
    Facts,
    | 'packages'
    | 'candidates'
    | 'machine'
    | 'hostName'
    | 'resolvConf'
    | 'dkim'
    | 'certificate'
    | 'accounts'
    | 'web'
    | 'addresses'
    | 'localAdditions'
    | 'listeners'
    | 'firewall'
    | 'ownUpgrades'
    | 'relayLogins'
    | 'warmup'
  >;
  /** From flag or environment; without it the server keeps the one it has. */
  acme: { directory?: string; ca?: string };
  /** Text of the trust anchor file that the configuration names. */
  trustAnchor?: string;
  ipv6: boolean;
  backup?: BackupModel;
  trustedRelays?: readonly string[];
  /** Domains that only have limits of their own. */
  separate?: readonly string[];
  /** Hosted providers to send through. */
  relays?: readonly ConfiguredRelay[];
}

export interface Models {
  /** The server as the first run leaves it: what signs now goes on signing, nothing new does. */
  model: ServerModel;
  /** The server once its certificate is issued and every domain is live. */
  target: ServerModel;
}

/** A mailbox's room where neither configuration nor the list of users says anything. */
const defaultQuota = '5G';

export const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory';

/** What a release ships, for servers whose package lists were never fetched. */
const shipped: Readonly<Record<string, Versions>> = {
  'debian 12': { postfix: '3.7.11', dovecot: '2.3.19', rspamd: '3.4', unbound: '1.17.1', postsrsd: '1.10' },
  'debian 13': { postfix: '3.10.5', dovecot: '2.4.1', rspamd: '3.12.1', unbound: '1.22.0', postsrsd: '1.10' },
  'ubuntu 22.04': { postfix: '3.6.4', dovecot: '2.3.16', rspamd: '2.7', unbound: '1.13.1', postsrsd: '1.10' },
  'ubuntu 24.04': {
    postfix: '3.8.6',
    dovecot: '2.3.21',
    rspamd: '3.8.1',
    unbound: '1.19.2',
    postsrsd: '1.10',
  },
  'ubuntu 26.04': {
    postfix: '3.10.6',
    dovecot: '2.4.2',
    rspamd: '3.8.1',
    unbound: '1.22.0',
    postsrsd: '2.0.11',
  },
};

/** Gathers what the components need from configuration and facts. Pure. */
export function buildModel(input: ModelInput): Models {
  const { facts, hostname, os } = input;
  const versions = readVersions(os, facts);
  const directory = input.acme.directory ?? facts.certificate.directory;
  const ca = input.acme.ca ?? facts.certificate.ca;
  const domains = input.domains.map(({ name, selectors, receives = true, perDay, web }): DomainModel => {
    const signs = facts.dkim.signing.find((entry) => entry.domain === name);
    const live = signs !== undefined && signs.selector === selectors[0];
    return {
      name,
      selectors,
      live,
      ...(receives ? {} : { receives }),
      ...(perDay === undefined ? {} : { perDay }),
      ...(web === undefined ? {} : { web }),
    };
  });
  const model: ServerModel = {
    hostname,
    profile: input.server.profile,
    os: {
      id: os.id === 'ubuntu' ? 'ubuntu' : 'debian',
      version: os.version,
      codename: os.codename,
    },
    versions,
    mapType: atLeast(versions.postfix, '3.11') ? 'lmdb' : 'hash',
    domains,
    ...(directory === undefined || directory === letsEncrypt ? {} : { acmeDirectory: directory }),
    ...(ca === undefined ? {} : { acmeCa: ca }),
    ...(input.server.acmeEmail === undefined ? {} : { acmeEmail: input.server.acmeEmail }),
    certificate: currentCertificate(input, directory),
    ipv6: input.ipv6,
    ...(input.server.unknownRecipients === 'defer' ? { unknownRecipients: 'defer' as const } : {}),
    ...(input.relays === undefined || input.relays.length === 0
      ? {}
      : { relays: input.relays.map(modelRelay) }),
    limits: { ...defaultLimits, ...input.server.limits },
    quotaBytes: parseSize(input.server.quota ?? defaultQuota) ?? 0,
    ...warmupOf(input),
    resolver: {
      ...(input.server.resolver.forwarder === undefined
        ? {}
        : { forwarder: input.server.resolver.forwarder }),
      ...(input.trustAnchor === undefined ? {} : { trustAnchor: input.trustAnchor }),
    },
    ...(input.backup === undefined ? {} : { backup: input.backup }),
    ...(input.trustedRelays === undefined || input.trustedRelays.length === 0
      ? {}
      : { trustedRelays: input.trustedRelays }),
    has: readDone(input),
    firewall: readFirewall(facts, input.server.firewall ?? true),
    local: facts.localAdditions,
    memory: facts.machine.memory,
  };
  return {
    model,
    target: {
      ...model,
      certificate: 'issued',
      domains: domains.map((domain, index) => ({
        ...domain,
        selectors: withFirst(domain.selectors, input.domains[index]?.next),
        live: true,
      })),
    },
  };
}

/** A domain with a relay of its own leaves from the provider's addresses: it has nothing to warm up here. */
function warmupOf({ server, domains, separate = [], relays = [] }: ModelInput): Pick<ServerModel, 'warmup'> {
  const direct = domains
    .map(({ name }) => name)
    .filter((name) => !relays.some(({ domain }) => domain === undefined || domain === name));
  const together = direct.filter((name) => !separate.includes(name));
  const groups = [
    ...(server.warmup && together.length > 0 ? [{ name: 'server', domains: together, apart: false }] : []),
    ...direct
      .filter((name) => separate.includes(name))
      .map((name) => ({ name, domains: [name], apart: true })),
  ];
  return groups.length === 0 ? {} : { warmup: groups };
}

function modelRelay({ name, domain, relay }: ConfiguredRelay): RelayModel {
  const { host, port, tls, rewrites, login } = relay;
  return {
    name,
    ...(domain === undefined ? {} : { domain }),
    host,
    port,
    tls,
    rewrites,
    mechanisms: login.mechanisms,
  };
}

function withFirst(selectors: readonly string[], first: string | undefined): readonly string[] {
  return first === undefined ? selectors : [first, ...selectors.filter((selector) => selector !== first)];
}

/** A certificate of another authority or for another name does not count: it is asked for again, and serves until then. */
function currentCertificate(input: ModelInput, directory: string | undefined): ServerModel['certificate'] {
  const { state, directory: from, names } = input.facts.certificate;
  if (state !== 'issued') return state;
  return from === (directory ?? letsEncrypt) && names.includes(input.hostname) ? 'issued' : 'self-signed';
}

/** Where sites have single addresses and nobody has all of them: the machine's own, and that of its mail, as well. */
function readSiteAddresses({ web: { single }, addresses }: ModelInput['facts']): SingleAddress[] {
  const own = {
    ipv4: ['127.0.0.1', addresses.ipv4],
    ipv6: ['[::1]', addresses.ipv6 && `[${addresses.ipv6}]`],
  };
  const found = [...single];
  for (const { address: theirs, port, alone } of single) {
    if (!alone) continue;
    for (const address of own[theirs.startsWith('[') ? 'ipv6' : 'ipv4']) {
      if (address !== undefined && !found.some((one) => one.address === address && one.port === port))
        found.push({ address, port, alone });
    }
  }
  return found;
}

function readDone({ facts, hostname, domains }: ModelInput): ServerHas {
  const { hostName, resolvConf, accounts, dkim, web, certificate, relayLogins, warmup } = facts;
  const hosts = hostName.hosts.map((line) => line.split(/\s+/));
  return {
    hostName:
      hostName.static === hostname &&
      hostName.kernel === hostname &&
      !hostName.resetAtBoot &&
      (hostName.hostsTemplate ?? hostname) === hostname &&
      hostName.mailName === (domains[0]?.name ?? hostname) &&
      hosts.some(([address, ...names]) => address === '127.0.0.1' && names.includes('localhost')) &&
      hosts.some(([address, first]) => first === hostname && address !== '127.0.0.1' && address !== '::1'),
    accounts: accounts.prepared,
    dkimKeys: dkim.keys.map(({ domain, selector }) => `${domain}/${selector}`),
    ownResolver:
      resolvConf.link === undefined &&
      resolvConf.nameservers.length === 1 &&
      resolvConf.nameservers[0] === '127.0.0.1' &&
      /^options.* trust-ad/m.test(resolvConf.content),
    webReady: web.ready,
    nextKey: certificate.nextDigest !== undefined,
    foreignWebDefault: web.foreignDefault,
    ...(web.before === undefined ? {} : { sitesBefore: web.before }),
    siteAddresses: readSiteAddresses(facts),
    ownUpgrades: facts.ownUpgrades,
    relayLogins: relayLogins.map(({ name }) => name),
    foreignHttpsDefault: web.foreignHttpsDefault,
    webSites: web.sites,
    warmups: warmup.map(({ group }) => group),
  };
}

function readVersions(os: OsRelease, { packages, candidates }: ModelInput['facts']): Versions {
  const known = shipped[`${os.id} ${os.version}`] ?? shipped['debian 12'];
  const version = (name: string, fallback: string | undefined): string => {
    const found = packages.get(name)?.version ?? candidates.get(name)?.version ?? fallback ?? '0';
    // Epoch and Debian revision say nothing about the syntax.
    return /\d+(?:\.\d+)*/.exec(found.replace(/^\d+:/, ''))?.[0] ?? '0';
  };
  return {
    postfix: version('postfix', known?.postfix),
    dovecot: version('dovecot-core', known?.dovecot),
    rspamd: version('rspamd', known?.rspamd),
    unbound: version('unbound', known?.unbound),
    postsrsd: version('postsrsd', known?.postsrsd),
  };
}
