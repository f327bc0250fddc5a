import type { DnsTarget } from '../../src/checks/dns/context.js';
import { refusePrivate } from '../../src/checks/dns/reachable.js';
import { runDnsChecks } from '../../src/checks/run.js';
import type { DnsRecord } from '../../src/dns/record.js';
import {
  createAuthoritativeResolver,
  createRecursiveResolver,
  limitQueries,
  type QueryType,
  query,
  systemClock,
} from '../../src/dns/resolver/index.js';
import { waitUntilVisible } from '../../src/dns/visible.js';

/** What the program is told to do, as JSON in its only argument. */
export type LabOrder =
  | { do: 'check'; resolver: string; target: DnsTarget }
  | { do: 'wait'; resolver: string; anchor: string; records: readonly DnsRecord[]; seconds: number }
  | { do: 'ask'; server: string; name: string; type: QueryType };

/** Runs inside a namespace of the lab; prints one JSON document. */
async function carryOut(order: LabOrder): Promise<unknown> {
  const limited = limitQueries(query, 64);
  if (order.do === 'ask')
    return query({ address: order.server, port: 53 }, order.name, order.type, { recursion: false });
  const recursive = createRecursiveResolver({
    servers: [{ address: order.resolver, port: 53 }],
    query: limited,
  });
  const anchors = [order.do === 'check' ? order.target.domain : order.anchor];
  const common = { recursive, query: limited, anchors, allowAddress: refusePrivate(true) };
  if (order.do === 'check') {
    const authoritative = createAuthoritativeResolver({ ...common, remember: true });
    const deps = { authoritative, recursive, now: Date.now, privateNetwork: true };
    return runDnsChecks({ targets: [order.target], resolver: order.resolver }, deps);
  }
  const authoritative = createAuthoritativeResolver(common);
  return waitUntilVisible(
    order.records,
    { authoritative, clock: systemClock, intervalMs: 200 },
    {
      deadline: systemClock.now() + order.seconds * 1000,
      onTick: () => process.stdout.write('looked\n'),
    },
  );
}

carryOut(JSON.parse(process.argv[2] ?? '{}') as LabOrder).then(
  (result) => process.stdout.write(JSON.stringify(result)),
  (error: unknown) => {
    process.stderr.write(String(error));
    process.exitCode = 1;
  },
);
