import type { NameAnswer, ServerLookup } from '../checks/server/server-check.js';
import { canonicalIp } from '../lib/ip.js';
import { shellQuote } from '../lib/shell-quote.js';
import type { Connection } from '../ssh/connection.js';

/**
 * getaddrinfo(3) is what perl-base has, and it tells "not there" from "cannot say". A child for each name, so that one
 * silent list does not hold up the others; the final dot keeps the search list out.
 */
const program = (
  seconds: number,
) => `use strict; use Socket qw(getaddrinfo getnameinfo :addrinfo SOCK_STREAM AF_INET NI_NUMERICHOST NIx_NOSERV);
my @names = grep { /^[a-z0-9._-]+$/ } map { chomp; $_ } <STDIN>;
for my $name (splice @names, 0, 64) {
  next if fork;
  alarm ${seconds};
  my ($error, @found) = getaddrinfo("$name.", undef, { family => AF_INET, socktype => SOCK_STREAM });
  my $absent = $error == EAI_NONAME || $error == -5;
  my @addresses = map { (getnameinfo($_->{addr}, NI_NUMERICHOST, NIx_NOSERV))[1] } @found;
  syswrite STDOUT, join(" ", $name, $error ? ($absent ? "absent" : "unknown") : @addresses) . "\\n";
  exit 0;
}
1 while wait > 0;`;

/** Names looked up on the server, through whatever resolver it uses: one round trip. */
export function createServerLookup(connection: Connection, seconds = 25): ServerLookup {
  return async (names) => {
    const { stdout } = await connection.exec(`perl -e ${shellQuote(program(seconds))}`, {
      stdin: `${names.join('\n')}\n`,
      maxOutput: 64 * 1024,
    });
    return parseLookup(stdout);
  };
}

export function parseLookup(text: string): ReadonlyMap<string, NameAnswer> {
  const answers = new Map<string, NameAnswer>();
  for (const line of text.split('\n')) {
    const [name = '', ...words] = line.trim().split(' ');
    const [first] = words;
    if (first === 'absent' || first === 'unknown') answers.set(name, { status: first });
    else {
      const addresses = words.flatMap((word) => canonicalIp(word) ?? []).slice(0, 16);
      if (name !== '' && addresses.length > 0) answers.set(name, { status: 'found', addresses });
    }
  }
  return answers;
}
