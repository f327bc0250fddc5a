import { parseDomain, parseHostname, parseMailbox } from '../lib/names.js';
import { parseRelayName } from '../relay/relay-name.js';
import * as validate from './validate.js';

export type QuestionKey =
  | 'ssh'
  | 'identity'
  | 'hostKey'
  | 'domain'
  | 'hostname'
  | 'dns'
  | 'profile'
  | 'mailbox'
  | 'passwordFile'
  | 'acmeDirectory'
  | 'acmeCa'
  | 'resolver'
  | 'ipv4'
  | 'serverForwarder'
  | 'trustAnchor'
  | 'relay'
  | 'relayUser'
  | 'relayPasswordFile';

/** What is known when a question is put: values so far, and what was read from the server and from DNS. */
export interface Known {
  domain?: string;
  /** The server's own host name and the PTR of its address, where they are plausible mail host names. */
  serverHostname?: string;
  ptr?: string;
  /** Provider recognised from the domain's name servers. */
  recognisedDns?: string;
  /** Why none was recognised; a clause. */
  unrecognisedDns?: string;
  /** The providers that can be chosen from. */
  dnsProviders?: readonly { id: string; title: string }[];
  /** What works with any name servers; suggested to somebody at a terminal only. */
  offeredDns?: string;
}

export interface Question {
  flag: `--${string}`;
  /** The flag's argument as `--help` shows it. */
  argument: string;
  env: `SMTP_SETUP_${string}`;
  /** For `--help`. */
  help: string;
  /** What the wizard says; questions without one are never asked. */
  message?: string;
  /** Where the configuration file holds it, for messages. */
  configKey?: string;
  /** `init` cannot do without it. */
  required?: boolean;
  /** What can be chosen at a terminal; left out: it is typed. */
  choices?(known: Known): readonly { value: string; name: string }[];
  /** What Enter gives, and what is taken without a terminal. */
  suggest?(known: Known): string | undefined;
  /** What Enter gives where nothing is suggested; never taken without a terminal. */
  offer?(known: Known): string | undefined;
  parse(input: string): validate.Parsed;
}

/** Every question: its flag, its variable, its configuration key, its default and its validation. */
export const questions: Readonly<Record<QuestionKey, Question>> = {
  ssh: {
    flag: '--ssh',
    argument: '[user@]host[:port]',
    env: 'SMTP_SETUP_SSH',
    help: 'the server; a Host alias of ~/.ssh/config works (its passwords, if any: SMTP_SETUP_SSH_PASSWORD, SMTP_SETUP_SUDO_PASSWORD)',
    message: 'How do you log in to the server? ([USER@]HOST[:PORT] or an ssh alias)',
    configKey: 'servers.<host name>.ssh',
    required: true,
    parse: validate.parseSsh,
  },
  identity: {
    flag: '--identity',
    argument: 'file',
    env: 'SMTP_SETUP_IDENTITY',
    help: 'private key file for SSH (default: ssh_config, the agent, ~/.ssh); its passphrase: SMTP_SETUP_SSH_PASSPHRASE',
    // In the file it is relative to the file's folder (identity-path.ts).
    configKey: 'servers.<host name>.identity',
    parse: validate.parsePath,
  },
  hostKey: {
    flag: '--host-key',
    argument: 'fingerprint',
    env: 'SMTP_SETUP_HOST_KEY',
    help: 'the host key the server must show, SHA256:… (default: known_hosts, else asked)',
    configKey: 'servers.<host name>.hostKey',
    parse: validate.parseFingerprint,
  },
  domain: {
    flag: '--domain',
    argument: 'domain',
    env: 'SMTP_SETUP_DOMAIN',
    help: 'the domain the mail is for',
    message: 'Which domain is the mail for? (such as example.org)',
    configKey: 'domains.<domain>',
    required: true,
    parse: validate.attempt(parseDomain),
  },
  hostname: {
    flag: '--hostname',
    argument: 'name',
    env: 'SMTP_SETUP_HOSTNAME',
    help: "the server's mail host name (default: its own, its PTR, or mail.DOMAIN)",
    message: 'Which host name shall the server have?',
    configKey: 'servers.<host name>',
    required: true,
    suggest: suggestHostname,
    parse: validate.attempt(parseHostname),
  },
  dns: {
    flag: '--dns',
    argument: 'provider',
    env: 'SMTP_SETUP_DNS',
    help: "who hosts the domain's DNS (default: recognised from its name servers)",
    message: "Who hosts the domain's DNS?",
    configKey: 'domains.<domain>.dns',
    required: true,
    suggest: (known) => known.recognisedDns,
    choices: ({ dnsProviders = [], recognisedDns, offeredDns }) =>
      dnsProviders.map(({ id, title }) => ({
        value: id,
        name: id === recognisedDns && id !== offeredDns ? `${title} (by its name servers)` : title,
      })),
    offer: (known) => known.offeredDns,
    parse: validate.parseId,
  },
  profile: {
    flag: '--profile',
    argument: 'profile',
    env: 'SMTP_SETUP_PROFILE',
    help: 'what the server is for: mailboxes (default), or send-only for applications that send',
    configKey: 'servers.<host name>.profile',
    parse: validate.parseProfile,
  },
  mailbox: {
    flag: '--mailbox',
    argument: 'address',
    env: 'SMTP_SETUP_MAILBOX',
    help: 'the mailbox to create',
    message: 'Address of the first mailbox?',
    required: true,
    parse: validate.attempt((input) => parseMailbox(input).address),
  },
  passwordFile: {
    flag: '--password-file',
    argument: 'file',
    env: 'SMTP_SETUP_PASSWORD_FILE',
    help: "file with the mailbox's password, - for stdin (or SMTP_SETUP_PASSWORD)",
    parse: validate.parsePath,
  },
  acmeDirectory: {
    flag: '--acme-directory',
    argument: 'url',
    env: 'SMTP_SETUP_ACME_DIRECTORY',
    help: "where certificates come from (default: Let's Encrypt)",
    parse: validate.parseAcmeUrl,
  },
  acmeCa: {
    flag: '--acme-ca',
    argument: 'file',
    env: 'SMTP_SETUP_ACME_CA',
    help: "CA certificate (PEM) of the ACME server's own certificate",
    parse: validate.parsePath,
  },
  resolver: {
    flag: '--resolver',
    argument: 'ip[:port]',
    env: 'SMTP_SETUP_RESOLVER',
    help: 'the DNS resolver that this machine asks (default: its own); a private address: a private network, where private addresses are allowed',
    parse: validate.parseAddressPort,
  },
  ipv4: {
    flag: '--ipv4',
    argument: 'address',
    env: 'SMTP_SETUP_IPV4',
    help: "the server's public IPv4 address, behind address translation (default: as seen)",
    configKey: 'servers.<host name>.ipv4',
    parse: validate.parseIpv4Address,
  },
  serverForwarder: {
    flag: '--server-forwarder',
    argument: 'ip',
    env: 'SMTP_SETUP_SERVER_FORWARDER',
    help: "resolver that the server's own unbound forwards to, in a private network",
    configKey: 'servers.<host name>.resolver.forwarder',
    parse: validate.parseAddress,
  },
  trustAnchor: {
    flag: '--trust-anchor',
    argument: 'file',
    env: 'SMTP_SETUP_TRUST_ANCHOR',
    help: "DNSKEY or DS line of the root that the server's unbound trusts, in a private network",
    configKey: 'servers.<host name>.resolver.trustAnchor',
    parse: validate.parsePath,
  },
  relay: {
    flag: '--relay',
    argument: 'provider[:region]',
    env: 'SMTP_SETUP_RELAY',
    help: 'send through a hosted provider (smtp-setup relay list), or through HOST[:PORT]',
    configKey: 'servers.<host name>.relay',
    parse: parseRelayName,
  },
  relayUser: {
    flag: '--relay-user',
    argument: 'user',
    env: 'SMTP_SETUP_RELAY_USER',
    help: 'user name at the relay',
    parse: validate.parseRelayUser,
  },
  relayPasswordFile: {
    flag: '--relay-password-file',
    argument: 'file',
    env: 'SMTP_SETUP_RELAY_PASSWORD_FILE',
    help: 'file with the password at the relay, - for stdin (or SMTP_SETUP_RELAY_PASSWORD)',
    parse: validate.parsePath,
  },
};

/** The server's own name when it lies in the domain, then its PTR, else `mail.DOMAIN`. */
function suggestHostname(known: Known): string | undefined {
  if (known.domain === undefined) return undefined;
  for (const name of [known.serverHostname, known.ptr]) {
    if (name?.endsWith(`.${known.domain}`) && validate.attempt(parseHostname)(name).ok) return name;
  }
  return `mail.${known.domain}`;
}
