import { addressOf, HOSTS, namespaceOf, namespacePath } from '../layout.js';
import { run } from '../run.js';
import { INET, namespacesOf, portName } from './network.js';

/** A TCP port closed by the network, seen from the VPS. */
export interface Fault {
  direction: 'in' | 'out';
  port: number;
  how: 'drop' | 'reject';
}

const TABLE = 'sandbox_faults';

/**
 * Closes exactly these ports and opens all others. The rules live outside the VPS, where its own firewall cannot see
 * them: drops on the bridge; refusals at the other hosts, because many kernels cannot reject on a bridge.
 */
export async function applyFaults(lab: string, faults: readonly Fault[]): Promise<void> {
  const drops = faults.filter((fault) => fault.how === 'drop');
  const rejects = faults.filter((fault) => fault.how === 'reject');
  await loadTable(lab, INET, 'bridge', renderDrops(drops));
  for (const namespace of await namespacesOf(lab)) {
    const host = namespace.slice(namespaceOf(lab, '').length);
    if (host !== INET && host !== 'vps') await loadTable(lab, host, 'inet', renderRejects(rejects));
  }
}

export function renderDrops(faults: readonly Fault[]): string[] {
  const port = portName('vps');
  const rules = faults.map((fault) =>
    fault.direction === 'out'
      ? `iifname "${port}" tcp dport ${fault.port} drop`
      : `oifname "${port}" tcp dport ${fault.port} drop`,
  );
  return [
    ...['chain forwarded {', 'type filter hook forward priority 0; policy accept;', ...rules, '}'],
    // What is sent to the router itself is not forwarded.
    ...['chain delivered {', 'type filter hook input priority 0; policy accept;', ...rules, '}'],
  ];
}

export function renderRejects(faults: readonly Fault[]): string[] {
  const vps = addressOf(HOSTS.vps, true);
  const rules = (direction: Fault['direction']) =>
    faults
      .filter((fault) => fault.direction === direction)
      .flatMap((fault) => {
        const side = direction === 'out' ? 'saddr' : 'daddr';
        const match = `tcp dport ${fault.port} reject with tcp reset`;
        return [`ip ${side} ${vps.ipv4} ${match}`, `ip6 ${side} ${vps.ipv6} ${match}`];
      });
  return [
    ...['chain from_vps {', 'type filter hook input priority 0; policy accept;', ...rules('out'), '}'],
    ...['chain to_vps {', 'type filter hook output priority 0; policy accept;', ...rules('in'), '}'],
  ];
}

async function loadTable(
  lab: string,
  host: string,
  family: 'bridge' | 'inet',
  body: readonly string[],
): Promise<void> {
  const table = `table ${family} ${TABLE}`;
  // Declared before it is deleted, so that deleting works the first time too (one transaction).
  const text = [table, `delete ${table}`, `${table} {`, ...body, '}', ''].join('\n');
  await run('nsenter', [`--net=${namespacePath(lab, host)}`, '--', 'nft', '-f', '-'], { input: text });
}
