import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressOf, HOSTS, type HostAddress, namespaceOf, namespacePath } from '../layout.js';
import { isErrno, readText } from '../lock.js';
import { killProcess } from '../machine/cgroup.js';
import { run, tryRun } from '../run.js';

/** The namespace that holds the bridge; it has no link to anything outside the lab. */
export const INET = 'inet';
const ROUTER = HOSTS.router;

/** Argument vector that runs a command in a host's network, keeping the machine's own mounts. */
export function inNamespace(lab: string, host: string, argv: readonly string[]): string[] {
  return ['nsenter', `--net=${namespacePath(lab, host)}`, '--', ...argv];
}

/**
 * Creates the bridge. Its namespace forwards but has no route out, so that a packet to the real Internet is answered
 * at once with "network unreachable" instead of vanishing.
 */
export async function createInternet(lab: string, ipv6: boolean): Promise<void> {
  await addNamespace(lab, INET);
  const router = addressOf(ROUTER, ipv6);
  await ipIn(lab, INET, [
    // Without an address of its own a bridge changes to its ports' lowest one, and hosts keep sending to the old one.
    'link add br0 address 02:00:c6:33:64:fe type bridge forward_delay 0 mcast_snooping 0',
    'link set br0 up',
    `address add ${router.ipv4}/24 dev br0`,
    ...(router.ipv6 === undefined ? [] : [`address add ${router.ipv6}/64 dev br0 nodad`]),
  ]);
  await run('nsenter', [
    `--net=${namespacePath(lab, INET)}`,
    '--',
    'sh',
    '-c',
    'echo 1 > /proc/sys/net/ipv4/ip_forward; [ ! -d /proc/sys/net/ipv6 ] || echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
  ]);
}

/** Creates a host's namespace and its link to the bridge. Both ends are born inside namespaces, never in the root one. */
export async function createHost(lab: string, host: string, address: HostAddress): Promise<void> {
  await addNamespace(lab, host);
  const router = addressOf(ROUTER, address.ipv6 !== undefined);
  // Otherwise the kernel waits for duplicate address detection and the address cannot be used for two seconds.
  await setSysctl(lab, host, 'net/ipv6/conf/default/accept_dad', '0');
  if (address.ipv6 === undefined) await setSysctl(lab, host, 'net/ipv6/conf/default/disable_ipv6', '1');
  await ipIn(lab, INET, [
    `link add ${portName(host)} type veth peer name eth0 netns ${namespaceOf(lab, host)}`,
    `link set ${portName(host)} master br0 up`,
  ]);
  await ipIn(lab, host, [
    'link set eth0 up',
    `address add ${address.ipv4}/24 dev eth0`,
    `route add default via ${router.ipv4}`,
    ...(address.ipv6 === undefined
      ? []
      : [`address add ${address.ipv6}/64 dev eth0 nodad`, `route add default via ${router.ipv6}`]),
  ]);
}

/** Bridge port of a host (interface names have at most 15 characters). */
export function portName(host: string): string {
  return `p-${host}`.slice(0, 15);
}

/** Runs ip(8) commands, one a line, inside a host's namespace. */
export async function ipIn(lab: string, host: string, lines: readonly string[]): Promise<void> {
  await run('ip', ['-n', namespaceOf(lab, host), '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** `ip netns exec` puts this file over /etc/resolv.conf, so that programs of the client ask the lab's resolver. */
export async function writeResolvConf(lab: string, host: string, text: string): Promise<void> {
  const directory = join('/etc/netns', namespaceOf(lab, host));
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'resolv.conf'), text);
}

/** Removes all namespaces of a lab, after ending whatever still runs in them. */
export async function destroyNetwork(lab: string): Promise<void> {
  for (const name of await namespacesOf(lab)) {
    const pids = (await tryRun('ip', ['netns', 'pids', name])).stdout
      .split('\n')
      .filter((line) => line !== '');
    for (const pid of pids) killProcess(Number(pid));
    await tryRun('ip', ['netns', 'delete', name]);
    await rm(join('/run/netns', name), { force: true });
  }
  for (const name of await entriesOf('/etc/netns')) {
    if (belongsTo(lab, name)) await rm(join('/etc/netns', name), { recursive: true, force: true });
  }
}

export async function namespacesOf(lab: string): Promise<string[]> {
  return (await entriesOf('/run/netns')).filter((name) => belongsTo(lab, name));
}

// Host names have no hyphen, lab names may: "a" must not claim the namespaces of "a-b".
function belongsTo(lab: string, namespace: string): boolean {
  const prefix = namespaceOf(lab, '');
  return namespace.startsWith(prefix) && /^[a-z0-9]+$/.test(namespace.slice(prefix.length));
}

async function addNamespace(lab: string, host: string): Promise<void> {
  await run('ip', ['netns', 'add', namespaceOf(lab, host)]);
  await ipIn(lab, host, ['link set lo up']);
}

async function setSysctl(lab: string, host: string, name: string, value: string): Promise<void> {
  const file = `/proc/sys/${name}`;
  if ((await readText(file)) === undefined) return;
  await run('nsenter', [`--net=${namespacePath(lab, host)}`, '--', 'sh', '-c', `echo ${value} > ${file}`]);
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
