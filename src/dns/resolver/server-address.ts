import { getServers } from 'node:dns';
import { canonicalIp } from '../../lib/ip.js';
import type { ServerAddress } from './types.js';

/** `IP`, `IP:PORT` or `[IPv6]:PORT`; undefined when it is none of these. Default port 53. */
export function parseServerAddress(text: string): ServerAddress | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  const plain = /^([^:]+)(?::(\d{1,5}))?$/.exec(text);
  const [address, port] = bracketed
    ? [bracketed[1], bracketed[2]]
    : plain
      ? [plain[1], plain[2]]
      : [text, undefined];
  const canonical = canonicalIp(address ?? '');
  const number = port === undefined ? 53 : Number(port);
  if (canonical === undefined || number < 1 || number > 65535) return undefined;
  return { address: canonical, port: number };
}

export function formatServerAddress({ address, port }: ServerAddress): string {
  if (port === 53) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The resolvers that this machine uses (resolv.conf); link-local ones with a zone index are left out. */
export function readSystemResolvers(): ServerAddress[] {
  return getServers().flatMap((server) => parseServerAddress(server) ?? []);
}
