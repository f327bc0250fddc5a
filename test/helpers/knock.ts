import { inNamespace } from '../../src/sandbox/net/network.js';
import { tryRun } from '../../src/sandbox/run.js';
import type { World } from './world.js';

/** `open`, or why a connection from another machine of the lab did not come about. */
export async function knock(
  world: World,
  port: number,
  from = 'client',
  address = world.lab.vps.ipv4,
): Promise<string> {
  const program = `use IO::Socket::IP; my $s = IO::Socket::IP->new(PeerHost => '${address}', PeerPort => ${port}, Timeout => 5);
    print $s ? 'open' : $! =~ /refused/ ? 'refused' : "no ($!)"`;
  const { stdout } = await tryRun(
    'nsenter',
    inNamespace(world.lab.name, from, ['perl', '-e', program]).slice(1),
  );
  return stdout;
}
