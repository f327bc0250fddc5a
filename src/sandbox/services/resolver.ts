import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HOSTS, IPV4_REVERSE_ZONE, IPV6_REVERSE_ZONE } from '../layout.js';
import { createServiceHost, type HostProgram, type LabHost, openHost } from '../machine/host.js';
import { waitUntil } from '../machine/wait-until.js';
import type { LabState } from '../state.js';
import { trustAnchorFile } from './dns.js';
import { hostRecords, LAB_NAME_SERVERS } from './zone.js';

const PROGRAM: HostProgram = { kind: 'container', argv: ['unbound', '-d', '-c', '/lab/unbound.conf'] };

/** The provider's resolver: a real, validating one that starts at the lab's root. */
export interface LabResolver extends LabHost {
  /** Forgets everything it has cached. */
  flush(): Promise<void>;
}

export function openResolver(state: LabState): LabResolver {
  const host = openHost(state, 'resolver', HOSTS.resolver, PROGRAM);
  return {
    ...host,
    start: async () => {
      await host.start();
      await waitForAnswer(host);
    },
    flush: async () => {
      await host.exec(['unbound-control', '-c', '/lab/unbound.conf', 'flush_zone', '.']);
    },
  };
}

/** Starts the resolver; the DNS tree has to be up. */
export async function startResolver(state: LabState): Promise<LabResolver> {
  await createServiceHost(state, 'resolver', HOSTS.resolver, PROGRAM, async (root) => {
    await mkdir(join(root, 'lab'), { recursive: true });
    const hints = LAB_NAME_SERVERS.flatMap((name) => [
      `. 3600 NS ${name}`,
      ...hostRecords(name, 'dns', state.ipv6),
    ]);
    await writeFile(join(root, 'lab/root.hints'), `${hints.join('\n')}\n`);
    await copyFile(trustAnchorFile(state.name), join(root, 'lab/root.key'));
    await writeFile(join(root, 'lab/unbound.conf'), renderUnboundConfig(state.ipv6));
  });
  const resolver = openResolver(state);
  await resolver.start();
  return resolver;
}

async function waitForAnswer(host: LabHost): Promise<void> {
  await waitUntil(
    async () => {
      const answer = await host.exec([
        'kdig',
        `@${host.ipv4}`,
        '+short',
        '+time=2',
        '+retry=0',
        'test.',
        'SOA',
      ]);
      return answer.code === 0 && answer.stdout.trim() !== '';
    },
    { what: 'the resolver to answer', timeoutMs: 120_000, intervalMs: 50, evidence: () => host.tail() },
  );
}

/** unbound.conf(5). */
export function renderUnboundConfig(ipv6: boolean): string {
  return `${[
    'server:',
    '  username: ""',
    '  chroot: ""',
    '  directory: "/lab"',
    '  pidfile: ""',
    '  use-syslog: no',
    '  logfile: ""',
    '  interface: 0.0.0.0',
    ...(ipv6 ? ['  interface: ::0'] : []),
    `  do-ip6: ${ipv6 ? 'yes' : 'no'}`,
    '  access-control: 0.0.0.0/0 allow',
    '  access-control: ::/0 allow',
    '  root-hints: "/lab/root.hints"',
    '  trust-anchor-file: "/lab/root.key"',
    // Unbound answers these itself otherwise (RFC 6761, RFC 6303).
    '  local-zone: "test." nodefault',
    `  local-zone: "${IPV4_REVERSE_ZONE}" nodefault`,
    `  local-zone: "${IPV6_REVERSE_ZONE}" nodefault`,
    // A rehearsal changes records by the second; nobody wants to wait for real TTLs to pass.
    '  cache-max-ttl: 5',
    '  cache-max-negative-ttl: 1',
    '  infra-host-ttl: 5',
    'remote-control:',
    '  control-enable: yes',
    '  control-interface: "/lab/control.sock"',
    '  control-use-cert: no',
  ].join('\n')}\n`;
}
