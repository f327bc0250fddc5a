import { isIP } from 'node:net';
import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface Addresses {
  /** The address that packets to the Internet leave from; without a route, the first one there is. */
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
    const [sources = '', listed = ''] = readParts(stdout, 2);
    const read = (text: string) =>
      readLines(text)
        .map((address) => address.replace(/%.*$/, ''))
        .filter((address) => isIP(address) !== 0);
    const all = read(listed);
    // A private network may have no route to the Internet, and addresses all the same.
    const candidates = [...read(sources), ...all];
    const ipv4 = candidates.find((address) => isIP(address) === 4);
    const ipv6 = candidates.find((address) => isIP(address) === 6);
    return {
      ...(ipv4 === undefined ? {} : { ipv4 }),
      ...(ipv6 === undefined ? {} : { ipv6 }),
      all,
    };
  },
};
