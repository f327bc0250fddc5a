import type { Profile } from '../lib/profile.js';

/** Versions that decide which template is rendered: installed if present, else the archive's candidate. `major.minor.patch`. */
export interface Versions {
  postfix: string;
  dovecot: string;
  rspamd: string;
  unbound: string;
  postsrsd: string;
}

/** How much may be submitted; what exceeds it is told to come later (4xx). */
export interface SendingLimits {
  /** Messages a minute from one client address. */
  perMinute: number;
  /** Recipients an hour, and a day, of one login. */
  perHour: number;
  perDay: number;
}

/** Far above a person and a shop, far below what a stolen password is used for. */
export const defaultLimits: SendingLimits = { perMinute: 100, perHour: 500, perDay: 3000 };

export interface DomainModel {
  name: string;
  /** Selectors whose keys exist or are to be made on the server; the first signs. */
  selectors: readonly string[];
  /** The DKIM records are visible at every authoritative server: this domain's mail may be signed and sent. */
  live: boolean;
  /** Mail for the domain comes here (default); false for a domain that only sends, whose mail goes elsewhere. */
  receives?: boolean;
  /** Recipients a day of all mail from the domain; no limit when left out. */
  perDay?: number;
  /** What is served over HTTPS for the domain; nothing when left out. */
  web?: DomainWeb;
}

/** The names of a domain that lead here for the web, and what they are for. */
export interface DomainWeb {
  /** Text of the MTA-STS policy, served as `mta-sts.DOMAIN`. */
  policy?: string;
  /** `autoconfig.DOMAIN`: settings for Thunderbird, K-9, Apple. */
  autoconfig: boolean;
  /** `autodiscover.DOMAIN`: settings for Outlook. */
  autodiscover: boolean;
}

/** The names on the domain's web certificate; none when it serves nothing. */
export function webNames({ name, web }: Pick<DomainModel, 'name' | 'web'>): string[] {
  if (web === undefined) return [];
  return [
    ...(web.autoconfig ? [`autoconfig.${name}`] : []),
    ...(web.autodiscover ? [`autodiscover.${name}`] : []),
    ...(web.policy === undefined ? [] : [`mta-sts.${name}`]),
  ];
}

/** What filters incoming packets, and what has to stay open. */
export interface FirewallModel {
  /** `own`: our table. A manager that is active, or chains that close already: our ports are added there instead. */
  kind: 'off' | 'own' | 'ufw' | 'firewalld' | 'chains';
  /** Where people log in. */
  ssh: readonly number[];
  /** `tcp/8080`: what listened to the world when our rules came. */
  kept: readonly string[];
  chains: readonly { family: 'inet' | 'ip' | 'ip6'; table: string; chain: string }[];
  /** TCP ports that are open where we only add. */
  open: readonly number[];
  /** Our unit was started. */
  active: boolean;
  /** Our table is in the kernel. */
  loaded: boolean;
  /** Nobody has logged in since the rules changed. */
  unproven: boolean;
  /** The kernel filters packets at all; some containers' does not. */
  usable: boolean;
}

/** A hosted provider that mail goes out through. */
export interface RelayModel {
  /** `server`, or the sender domain: names the transport and the login. */
  name: string;
  /** Left out: all mail of domains that have none of their own. */
  domain?: string;
  host: string;
  port: number;
  tls: 'starttls' | 'wrapper';
  /** SASL mechanisms that may be used. */
  mechanisms: readonly string[];
  /** Header fields that the provider writes anew. */
  rewrites: readonly string[];
}

/** Domains that warm up together. */
export interface WarmupGroup {
  /** `server`, or the one domain that keeps apart. */
  name: string;
  domains: readonly string[];
  /** It stays on transports of its own when the ramp is over. */
  apart: boolean;
}

/** Everything the components need to know, gathered from config and facts. Plain data; same input, same files. */
export interface ServerModel {
  hostname: string;
  profile: Profile;
  os: { id: 'debian' | 'ubuntu'; version: string; codename: string };
  versions: Versions;
  /** Map type for generated tables: `lmdb`, `hash`, … from `postconf -h default_database_type` or the release. */
  mapType: string;
  domains: readonly DomainModel[];
  /** Where certbot asks; undefined means Let's Encrypt production. */
  acmeDirectory?: string;
  /** PEM of the CA that signs the ACME server's own certificate (private networks and rehearsals). */
  acmeCa?: string;
  acmeEmail?: string;
  /** A certificate for the host name from the ACME CA is in place (a self-signed one stands in until then). */
  certificate: 'none' | 'self-signed' | 'issued';
  /** Send over IPv6 only when it works both ways. */
  ipv6: boolean;
  /** What strangers are told about recipients that do not exist: 550 (default), or 450 while an MX is taken over. */
  unknownRecipients?: 'reject' | 'defer';
  /** Left out: mail goes to the receivers' own servers. */
  relays?: readonly RelayModel[];
  limits: SendingLimits;
  /** Room for a mailbox that has no limit of its own; 0 is no limit. */
  quotaBytes: number;
  /** Senders that are new to the world. */
  warmup?: readonly WarmupGroup[];
  resolver: { forwarder?: string; trustAnchor?: string };
  /** Profile `backup-mx`: whose mail it keeps, and for which addresses. */
  backup?: BackupModel;
  /** Addresses of our own backups: what they hand over was judged there, and is neither judged nor slowed down again. */
  trustedRelays?: readonly string[];
  /** What the facts found done already; steps that are done are not in the plan. */
  has: ServerHas;
  firewall: FirewallModel;
  /** The user's own additions to daemons that know no include directive, as they lie on the server. */
  local: LocalAdditions;
  /** Memory in MiB, for sizing. */
  memory: number;
}

export interface BackupModel {
  domains: readonly { name: string; primary: string }[];
  /** Every address that the primaries take mail for; `@domain` for a catch-all. */
  recipients: readonly string[];
}

/** Work that leaves something other than a managed file behind. */
export interface ServerHas {
  /** Static host name, /etc/hosts and /etc/mailname say what they should. */
  hostName: boolean;
  /** The vmail user, /var/vmail, the users and aliases files and the tables made from them. */
  accounts: boolean;
  /** `domain/selector` of every DKIM key on the server. */
  dkimKeys: readonly string[];
  /** /etc/resolv.conf names our own unbound and nothing else. */
  ownResolver: boolean;
  /** The ACME web root exists and the distribution's welcome page is off. */
  webReady: boolean;
  /** A key lies ready for the next certificate, so that it can be announced before it is used. */
  nextKey: boolean;
  /** Another nginx site answers for names that nobody claims. */
  foreignWebDefault: boolean;
  /** The server's owner has arranged for updates. */
  ownUpgrades: boolean;
  /** Names of the relay logins on the server. */
  relayLogins?: readonly string[];
  /** Groups whose warm-up began. */
  warmups?: readonly string[];
  /** The same over HTTPS. */
  foreignHttpsDefault: boolean;
  /** Folder of nginx sites that answer for those names only because nginx reads them first: ours have to come after them. */
  sitesBefore?: '/etc/nginx/conf.d' | '/etc/nginx/sites-enabled';
  /** Where other nginx sites listen on one address: ours have to be there, too. */
  siteAddresses?: readonly SingleAddress[];
  /** Domains with a place for what is served over HTTPS. */
  webSites: readonly WebSiteState[];
}

export interface SingleAddress {
  /** `198.51.100.25`, `[2001:db8::25]`. */
  address: string;
  port: 80 | 443;
  /**
   * Nobody listens on all addresses of this family: a running nginx cannot add that, as the port is taken (bind(2)), so ours
   * listen on single ones, too.
   */
  alone: boolean;
}

/** What a domain's web names are served with. */
export interface WebSiteState {
  domain: string;
  /** `stand-in`: the mail server's own certificate, which has other names; `none`: there is no file at all. */
  certificate: 'none' | 'stand-in' | 'issued';
  names: readonly string[];
  /** ACME directory that it comes from. */
  directory?: string;
  /** Groups whose warm-up began. */
  warmups?: readonly string[];
}

/** Texts of /etc/smtp-setup/local/postfix-main.cf and postfix-master.cf; empty when absent. */
export interface LocalAdditions {
  postfixMain: string;
  postfixMaster: string;
}

export const nothingDone: ServerHas = {
  hostName: false,
  accounts: false,
  dkimKeys: [],
  ownResolver: false,
  webReady: false,
  nextKey: false,
  foreignWebDefault: false,
  ownUpgrades: false,
  foreignHttpsDefault: false,
  webSites: [],
};

export const freshFirewall: FirewallModel = {
  kind: 'own',
  ssh: [22],
  kept: [],
  chains: [],
  open: [],
  active: false,
  loaded: false,
  unproven: false,
  usable: true,
};

/** The domain that the machine's own mail and its bounces come from: the first one, or the host itself without any. */
export function primaryDomain(model: Pick<ServerModel, 'domains' | 'hostname'>): string {
  return model.domains[0]?.name ?? model.hostname;
}

/** Where the private DKIM key lies on the server; the public one is beside it with `.pub` for `.key`. */
export function dkimKeyPath(domain: string, selector: string): string {
  return `/var/lib/rspamd/dkim/${domain}.${selector}.key`;
}
