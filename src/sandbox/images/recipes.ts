import { createHash } from 'node:crypto';

export type ImageName = 'debian-12' | 'debian-13' | 'services';
export type VpsImage = Exclude<ImageName, 'services'>;

export interface ImageRecipe {
  name: ImageName;
  release: 'bookworm' | 'trixie';
  packages: readonly string[];
  /** Shell commands run inside the new root as its last step. */
  finish: readonly string[];
}

/** What a VPS provider's minimal image holds. `python3-minimal` lacks most of the standard library, on purpose. */
const VPS_PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'openssh-server',
  'iproute2',
  'sudo',
  'ca-certificates',
  'netbase',
  'procps',
  'curl',
  'python3-minimal',
];

const SERVICES_PACKAGES = [
  ...[
    'systemd',
    'systemd-sysv',
    'dbus',
    'iproute2',
    'procps',
    'netbase',
    'ca-certificates',
    'openssl',
    'curl',
  ],
  // the DNS tree and the resolver
  ...['knot', 'knot-dnsutils', 'unbound', 'unbound-anchor', 'bind9-dnsutils', 'dnsutils'],
  // servers for the providers' conformance tests
  ...['bind9', 'pdns-server', 'pdns-backend-sqlite3', 'sqlite3'],
  'pebble',
  // the receiving mail server and its independent verifiers
  ...['postfix', 'rspamd', 'redis-server', 'swaks', 'opendkim', 'opendkim-tools'],
  ...['python3', 'python3-dkim', 'python3-spf', 'python3-dnspython'],
];

/** Nothing starts by itself in the services image: whoever boots it enables what it needs. */
const DISABLE_SERVICES = [
  'for unit in knot unbound named pdns pebble postfix rspamd redis-server opendkim; do systemctl disable "$unit" >/dev/null 2>&1 || :; done',
];

const FORGET_IDENTITY = [
  'rm -f /etc/ssh/ssh_host_*',
  ': > /etc/machine-id',
  'rm -f /etc/apt/apt.conf.d/99mmdebstrap',
];

export const RECIPES: Readonly<Record<ImageName, ImageRecipe>> = {
  'debian-12': { name: 'debian-12', release: 'bookworm', packages: VPS_PACKAGES, finish: FORGET_IDENTITY },
  'debian-13': { name: 'debian-13', release: 'trixie', packages: VPS_PACKAGES, finish: FORGET_IDENTITY },
  services: {
    name: 'services',
    release: 'bookworm',
    packages: SERVICES_PACKAGES,
    finish: [...DISABLE_SERVICES, ...FORGET_IDENTITY],
  },
};

/** Directory name of an image: a changed recipe is another image, so that a stale cache is never used. */
export function imageKey(recipe: ImageRecipe): string {
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 10);
  return `${recipe.name}-${hash}`;
}
