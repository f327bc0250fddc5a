import { isIP } from 'node:net';
import { canonicalIp, inNetwork, parseIp } from '../../lib/ip.js';
import type { RawRequest } from '../cloudflare/emulator.js';
import type { ActionLog } from './actions.js';
import { hetznerErrors } from './api-error.js';
import { now } from './render.js';
import { cutPage, type Json, readBody, requireKnown } from './request.js';

/** Where reverse names become visible. */
export interface ReverseSink {
  setPtr(ip: string, name: string | undefined): Promise<void>;
}

/** An address, or for IPv6 a network, of a server in the project. */
interface ProjectAddress {
  id: number;
  kind: 'primary_ip' | 'floating_ip';
  ip: string;
  names: Map<string, string>;
}

/**
 * Primary and floating IPs, as far as reverse names go: https://docs.hetzner.cloud/reference/cloud#primary-ips and
 * #floating-ips, with their action change_dns_ptr.
 */
export class ProjectAddresses {
  private readonly all: ProjectAddress[] = [];
  private readonly sink: ReverseSink;
  private readonly actions: ActionLog;

  constructor(sink: ReverseSink, actions: ActionLog) {
    this.sink = sink;
    this.actions = actions;
  }

  /** `ip`: an IPv4 address, which comes with a name by default, or an IPv6 network such as `2001:db8:1::/64`. */
  add(ip: string, kind: ProjectAddress['kind'] = 'primary_ip'): void {
    const names = new Map<string, string>();
    if (isIP(ip) === 4) names.set(ip, defaultName(ip));
    this.all.push({ id: 7000 + this.all.length, kind, ip, names });
  }

  nameOf(ip: string): string | undefined {
    return this.all.map(({ names }) => names.get(ip)).find((name) => name !== undefined);
  }

  list(kind: ProjectAddress['kind'], query: URLSearchParams): Json {
    const own = kind === 'primary_ip' ? ['ip'] : [];
    requireKnown(query, ['name', 'label_selector', 'sort', 'page', 'per_page', ...own]);
    const ip = query.get('ip');
    const found = this.all.filter((one) => one.kind === kind && (ip === null || one.ip === ip));
    const { items, meta } = cutPage(found, query);
    return { [`${kind}s`]: items.map(renderAddress), meta };
  }

  async change(kind: ProjectAddress['kind'], id: number, request: RawRequest): Promise<Json> {
    const address = this.all.find((one) => one.kind === kind && one.id === id);
    if (!address) throw hetznerErrors.notFound(kind);
    const body = readBody(request, ['ip', 'dns_ptr']);
    const ip = typeof body.ip === 'string' ? canonicalIp(body.ip) : undefined;
    if (ip === undefined) throw hetznerErrors.input('ip', 'is no address');
    if (!holds(address.ip, ip)) throw hetznerErrors.input('ip', 'does not belong to the resource');
    if (!('dns_ptr' in body)) throw hetznerErrors.input('dns_ptr', 'missing');
    const wanted = body.dns_ptr;
    if (wanted !== null && !isHostName(wanted)) throw hetznerErrors.input('dns_ptr', 'is no host name');
    return this.actions.carryOut('change_dns_ptr', async () => {
      const name = wanted ?? (isIP(ip) === 4 ? defaultName(ip) : undefined);
      await this.sink.setPtr(ip, name);
      if (name === undefined) address.names.delete(ip);
      else address.names.set(ip, name);
    });
  }
}

const defaultName = (ip: string): string =>
  `static.${ip.split('.').reverse().join('.')}.clients.your-server.de`;

function holds(resource: string, ip: string): boolean {
  const [network = '', bits] = resource.split('/');
  const [own, asked] = [parseIp(network), parseIp(ip)];
  return own !== undefined && asked !== undefined && inNetwork(asked, own, Number(bits ?? own.length * 8));
}

function isHostName(value: unknown): value is string {
  return typeof value === 'string' && /^(?=.{1,253}$)([a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}$/i.test(value);
}

function renderAddress({ id, kind, ip, names }: ProjectAddress): Json {
  const shared = {
    id,
    name: `${kind}-${id}`,
    type: ip.includes(':') ? 'ipv6' : 'ipv4',
    ip,
    dns_ptr: [...names].map(([one, name]) => ({ ip: one, dns_ptr: name })),
    blocked: false,
    created: now,
    labels: {},
    protection: { delete: false },
  };
  return kind === 'primary_ip'
    ? { ...shared, assignee_id: 42, assignee_type: 'server', auto_delete: true }
    : { ...shared, server: 42, description: null };
}
