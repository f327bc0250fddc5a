import type { OutboundTry } from '../../facts/outbound-smtp.js';
import { publicIpv4 } from '../../facts/public-ipv4.js';
import { recogniseHosting, unknownHosting } from '../../hosting/providers.js';
import type { Finding } from '../check.js';
import { finding, type PreflightContext, type PreflightFacts } from './rule.js';

export function checkNetwork(facts: PreflightFacts, context: PreflightContext): Finding[] {
  return [
    ...checkAddresses(facts, context),
    checkNameServers(facts),
    checkOutbound(facts, 4, context.relay),
    ...(context.ipv6 === 'off' || facts.addresses.ipv6 === undefined
      ? []
      : [checkOutbound(facts, 6, context.relay)]),
    ...checkFilter(facts),
  ];
}

function checkFilter({ firewall }: PreflightFacts): Finding[] {
  if (firewall.refused === undefined) return [];
  return [
    finding(
      'SRV-FILTER',
      'warn',
      'Packet filter',
      'nftables',
      'This kernel lets the server filter no packets: it gets no firewall, and who guesses passwords is not shut out.',
      {
        observed: firewall.refused,
        fix: "Use your VPS provider's firewall (ports 22, 25, 80, 443, 465, 587, 993, 4190), or a VPS with a kernel of its own.",
      },
    ),
  ];
}

function checkAddresses({ addresses }: PreflightFacts, { remoteAddress }: PreflightContext): Finding[] {
  const title = 'Public address';
  const { ipv4, ipv6 } = addresses;
  if (ipv4 === undefined && ipv6 === undefined) {
    return [finding('SRV-ADDRESS', 'unknown', title, 'routes', 'No route to the Internet was seen.')];
  }
  const seen = [ipv4, ipv6].filter((address) => address !== undefined).join(', ');
  if (ipv4 === undefined) {
    return [
      finding(
        'SRV-ADDRESS',
        'warn',
        title,
        'IPv4',
        'The server has no IPv4 address: most of the world cannot send to it.',
        {
          observed: seen,
          fix: 'Book an IPv4 address at your VPS provider.',
        },
      ),
    ];
  }
  if (isPrivateIpv4(ipv4) || publicIpv4(addresses, remoteAddress ?? '') !== ipv4) {
    return [
      finding(
        'SRV-ADDRESS',
        'warn',
        title,
        ipv4,
        'The server is behind address translation: the address it sees is not the one the world sees.',
        {
          observed: `${seen}; reached as ${remoteAddress ?? 'unknown'}`,
          fix: 'See that the ports 25, 80, 465, 587 and 993 of the public address lead to this server, and that what it sends leaves from that address.',
        },
      ),
    ];
  }
  return [finding('SRV-ADDRESS', 'pass', title, 'routes', seen)];
}

function checkNameServers({ resolvConf }: PreflightFacts): Finding {
  const title = 'Name resolution';
  if (resolvConf.nameservers.length > 0) {
    return finding('SRV-RESOLVER', 'pass', title, '/etc/resolv.conf', resolvConf.nameservers.join(', '));
  }
  return finding(
    'SRV-RESOLVER',
    'warn',
    title,
    '/etc/resolv.conf',
    'It names no name server: packages cannot be fetched.',
    {
      fix: 'Write your provider\'s resolver there, e.g. "nameserver 9.9.9.9".',
    },
  );
}

/** What is known of the way out of the server. */
export type OutboundFacts = Pick<PreflightFacts, 'outbound' | 'dmi'>;

/** Silence of every receiver means that the network eats port 25; one answer means that it does not. */
export function checkOutbound(facts: OutboundFacts, family: 4 | 6, relay = false): Finding {
  const id = `SRV-PORT25-IPV${family}`;
  const title = `Outgoing port 25, IPv${family}`;
  const tries = facts.outbound.filter((one) => one.family === family && one.result !== 'unresolved');
  const subject = tries.map(({ host }) => host).join(', ') || 'no host';
  if (tries.length === 0) {
    return finding(
      id,
      'unknown',
      title,
      subject,
      "It could not be tried: no mail server's name could be resolved.",
    );
  }
  const open = tries.find(({ result }) => result === 'open');
  if (open) return finding(id, 'pass', title, open.host, `open (${open.host} answers)`);
  const observed = tries.map(describeTry).join('; ');
  if (family === 6) {
    return finding(id, 'warn', title, subject, 'Nobody can be reached over IPv6; mail goes out over IPv4.', {
      observed,
    });
  }
  if (tries.every(({ result }) => result === 'unreachable')) {
    return finding(
      id,
      'unknown',
      title,
      subject,
      'There is no way to the tried servers at all, so nothing is known.',
      { observed },
    );
  }
  if (relay) {
    const message = 'Port 25 is blocked; mail goes out through the relay.';
    return finding(id, 'info', title, subject, message, { observed });
  }
  const hosting = recogniseHosting(facts.dmi);
  return finding(
    id,
    'fail',
    title,
    subject,
    hosting
      ? `Port 25 is blocked at ${hosting.name}: no mail can be sent.`
      : 'Port 25 is blocked: no mail can be sent.',
    {
      expected: 'a greeting from at least one mail server',
      observed,
      fix: `${hosting?.port25 ?? unknownHosting.port25} Or send through a hosted provider: --relay PROVIDER (smtp-setup relay list).`,
    },
  );
}

/** What is wrong with port 25, in a sentence; undefined when nothing is, or nothing is known. */
export function checkPort25(facts: OutboundFacts): string | undefined {
  const verdict = checkOutbound(facts, 4);
  return verdict.status === 'fail' ? verdict.message : undefined;
}

function describeTry({ host, address, result, detail }: OutboundTry): string {
  return `${host}${address === undefined ? '' : ` [${address}]`}: ${result}${result === 'timeout' ? '' : ` (${detail})`}`;
}

/** RFC 1918, RFC 6598 (shared address space), link-local and loopback. */
function isPrivateIpv4(address: string): boolean {
  const [a = 0, b = 0] = address.split('.').map(Number);
  return (
    a === 10 ||
    a === 127 ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b <= 127) ||
    (a === 169 && b === 254)
  );
}
