import { isIP } from 'node:net';
import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface Addresses {
  /** The address that packets to the Internet leave from; undefined without a route. */
  ipv4?: string;
  ipv6?: string;
  /** Every address of global scope. */
  all: readonly string[];
}

/** Connecting a UDP socket sends nothing and shows the source address that the routes would choose. */
export const addresses: Probe<Addresses> = {
  script: `perl -MSocket=:all -e '
    for my $target (@ARGV) {
      my ($error, $to) = getaddrinfo($target, 53, { flags => AI_NUMERICHOST, socktype => SOCK_DGRAM });
      next if $error;
      socket(my $socket, $to->{family}, SOCK_DGRAM, 0) && connect($socket, $to->{addr}) or next;
      my ($failed, $address) = getnameinfo(getsockname $socket, NI_NUMERICHOST);
      print "$address\\n" unless $failed;
    }' 198.41.0.4 2001:503:ba3e::2:30
echo --; ip -o addr show scope global | while read -r _ _ _ address _; do echo "\${address%/*}"; done`,
  parse({ stdout }) {
    const [sources = '', all = ''] = readParts(stdout, 2);
    const found = readLines(sources).map(withoutZone);
    const ipv4 = found.find((address) => isIP(address) === 4);
    const ipv6 = found.find((address) => isIP(address) === 6);
    return {
      ...(ipv4 === undefined ? {} : { ipv4 }),
      ...(ipv6 === undefined ? {} : { ipv6 }),
      all: readLines(all)
        .map(withoutZone)
        .filter((address) => isIP(address) !== 0),
    };
  },
};

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}
