import {
  type DomainWeb,
  defaultLimits,
  freshFirewall,
  nothingDone,
  type ServerModel,
} from '../../../src/components/model.js';

const web: DomainWeb = {
  policy: 'version: STSv1\nmode: testing\nmx: mail.example.org\nmax_age: 86400\n',
  autoconfig: true,
  autodiscover: true,
};

const base: Omit<ServerModel, 'os' | 'versions'> = {
  hostname: 'mail.example.org',
  profile: 'mailboxes',
  mapType: 'hash',
  domains: [
    { name: 'example.org', selectors: ['s20260105'], live: true, web },
    {
      name: 'example.net',
      selectors: ['s20260212'],
      live: false,
      web: { autoconfig: true, autodiscover: false },
    },
  ],
  certificate: 'none',
  ipv6: true,
  limits: defaultLimits,
  quotaBytes: 5 * 1024 ** 3,
  resolver: {},
  has: nothingDone,
  firewall: freshFirewall,
  local: { postfixMain: '', postfixMaster: '' },
  memory: 2000,
};

/** What each supported release installs (versions of the archives, late 2026). */
export const releases: Record<string, ServerModel> = {
  'debian-12': {
    ...base,
    os: { id: 'debian', version: '12', codename: 'bookworm' },
    versions: { postfix: '3.7.11', dovecot: '2.3.19', rspamd: '3.4', unbound: '1.17.1', postsrsd: '1.10' },
  },
  'debian-13': {
    ...base,
    os: { id: 'debian', version: '13', codename: 'trixie' },
    versions: { postfix: '3.10.13', dovecot: '2.4.1', rspamd: '3.12.1', unbound: '1.22.0', postsrsd: '1.10' },
  },
  'ubuntu-22.04': {
    ...base,
    os: { id: 'ubuntu', version: '22.04', codename: 'jammy' },
    versions: { postfix: '3.6.4', dovecot: '2.3.16', rspamd: '2.7', unbound: '1.13.1', postsrsd: '1.10' },
  },
  'ubuntu-24.04': {
    ...base,
    os: { id: 'ubuntu', version: '24.04', codename: 'noble' },
    versions: { postfix: '3.8.6', dovecot: '2.3.21', rspamd: '3.8.1', unbound: '1.19.2', postsrsd: '1.10' },
    // With a backup.
    trustedRelays: ['198.51.100.26', '2001:db8::26'],
  },
  // One domain, no IPv6, a private network: the other side of most conditions.
  'ubuntu-26.04': {
    ...base,
    os: { id: 'ubuntu', version: '26.04', codename: 'resolute' },
    versions: { postfix: '3.10.6', dovecot: '2.4.2', rspamd: '3.8.1', unbound: '1.24.0', postsrsd: '2.0.11' },
    mapType: 'lmdb',
    hostname: 'example.org',
    domains: [{ name: 'example.org', selectors: ['s20260105'], live: true, web }],
    ipv6: false,
    memory: 8000,
    acmeDirectory: 'https://ca.internal:14000/dir',
    acmeCa: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
    resolver: {
      forwarder: '198.51.100.1',
      trustAnchor: '. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D',
    },
    warmup: [{ name: 'cold.example', domains: ['cold.example'], apart: true }],
    relays: [
      {
        name: 'server',
        host: 'email-smtp.eu-west-1.amazonaws.com',
        port: 465,
        tls: 'wrapper',
        mechanisms: ['PLAIN', 'LOGIN'],
        rewrites: ['message-id', 'date'],
      },
      {
        name: 'example.org',
        domain: 'example.org',
        host: 'smtp.sparkpostmail.com',
        port: 587,
        tls: 'starttls',
        mechanisms: ['LOGIN'],
        rewrites: [],
      },
    ],
    has: { ...nothingDone, foreignWebDefault: true, foreignHttpsDefault: true },
    local: {
      postfixMain: 'message_size_limit = 104857600\nmynetworks = 10.0.0.0/8\n',
      postfixMaster: '127.0.0.1:10026 inet n - n - - smtpd\n',
    },
  },
};

const sendOnly: Omit<ServerModel, 'os' | 'versions'> = {
  ...base,
  profile: 'send-only',
  domains: [{ name: 'example.org', selectors: ['s20260105'], live: true, receives: false }],
  memory: 460,
};

/** Other profiles than `mailboxes`. */
export const others: Record<string, ServerModel> = {
  // Applications send; each release with its Dovecot.
  'send-only-debian-12': {
    ...sendOnly,
    os: { id: 'debian', version: '12', codename: 'bookworm' },
    versions: { postfix: '3.7.11', dovecot: '2.3.19', rspamd: '3.4', unbound: '1.17.1', postsrsd: '1.10' },
  },
  'send-only-debian-13': {
    ...sendOnly,
    os: { id: 'debian', version: '13', codename: 'trixie' },
    versions: { postfix: '3.10.13', dovecot: '2.4.1', rspamd: '3.12.1', unbound: '1.22.0', postsrsd: '1.10' },
  },
  // Keeps mail while the server of the domain is away.
  'backup-mx': {
    ...base,
    hostname: 'mail2.example.org',
    profile: 'backup-mx',
    os: { id: 'debian', version: '13', codename: 'trixie' },
    versions: { postfix: '3.10.13', dovecot: '2.4.1', rspamd: '3.12.1', unbound: '1.22.0', postsrsd: '1.10' },
    domains: [],
    backup: {
      domains: [
        { name: 'example.org', primary: 'mail.example.org' },
        { name: 'example.net', primary: 'mail.example.net' },
      ],
      recipients: ['@example.net', 'ada@example.org', 'postmaster@example.org'],
    },
  },
};
