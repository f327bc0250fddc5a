import type { FirewallModel } from '../components/model.js';
import type { Firewall } from '../facts/firewall.js';
import type { Listener } from '../facts/listeners.js';

/** Programs whose UDP sockets above the kernel's lower bound wait for one answer, and serve nobody. */
const askers = ['unbound', 'named', 'dnsmasq', 'systemd-resolve', 'systemd-timesyn', 'chronyd', 'ntpd'];
const ephemeral = 32_768;

/** Clients that look like servers (DHCP, DHCPv6), and neighbourhood talk (mDNS, LLMNR). */
const noService = [68, 546, 5353, 5355];

/**
 * Which way of filtering fits the server, and what must stay open in it. What others serve is noted when our rules
 * come, and read from them afterwards: a program that listens later is not let in by itself.
 */
export function readFirewall(
  facts: { firewall: Firewall; listeners: readonly Listener[] },
  wanted: boolean,
): FirewallModel {
  const { manager, managed, ssh, kept, active, loaded, unproven, closing, refused } = facts.firewall;
  const sshOpen = ssh.length > 0 ? ssh : [22];
  const kind =
    !wanted || refused !== undefined ? 'off' : (manager ?? (closing.length > 0 ? 'chains' : 'own'));
  return {
    kind,
    ssh: sshOpen,
    kept: kept ?? listServices(facts.listeners, sshOpen),
    chains: closing.map(({ family, table, chain }) => ({ family, table, chain })),
    open: kind === 'chains' ? openInAll(closing.map(({ opened }) => opened)) : managed,
    active,
    loaded,
    unproven,
    usable: refused === undefined,
  };
}

function listServices(listeners: readonly Listener[], ssh: readonly number[]): string[] {
  const found = listeners
    .filter(({ address }) => !/^127\.|^::1$|^::ffff:127\./.test(address))
    .filter(({ port }) => !noService.includes(port))
    .filter(({ protocol, port }) => protocol === 'udp' || !ssh.includes(port))
    .filter(
      ({ protocol, port, process = '' }) =>
        protocol === 'tcp' || port < ephemeral || !askers.includes(process),
    )
    .map(({ protocol, port }) => `${protocol}/${port}`);
  return [...new Set(found)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function openInAll(lists: readonly (readonly number[])[]): number[] {
  const [first = [], ...others] = lists;
  return first.filter((port) => others.every((list) => list.includes(port)));
}
