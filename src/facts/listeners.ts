import type { Probe } from './probe.js';
import { readLines } from './text.js';

export interface Listener {
  protocol: 'tcp' | 'udp';
  /** `0.0.0.0`, `::`, `*`, `127.0.0.1`, … */
  address: string;
  port: number;
  /** Undefined when the kernel does not tell (another namespace, no ss). */
  process?: string;
  pid?: number;
}

/** `ss` where it is; else the kernel's own tables, which hold no process names. */
export const listeners: Probe<readonly Listener[]> = {
  script: `if command -v ss >/dev/null; then ss -H -lntup
else for t in tcp tcp6 udp udp6; do [ -r /proc/net/$t ] && sed "s/^/$t /" /proc/net/$t; done; fi`,
  parse({ stdout }) {
    return readLines(stdout).flatMap((line) => readSs(line) ?? readProc(line) ?? []);
  },
};

function readSs(line: string): Listener | undefined {
  const match =
    /^(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d{1,5})\s+\S+(?:\s+users:\(\("([^"]*)",pid=(\d+),)?/.exec(line);
  if (!match?.[2]) return undefined;
  return {
    protocol: match[1] === 'udp' ? 'udp' : 'tcp',
    address: match[2].replace(/^\[|\]$/g, '').replace(/%.*$/, ''),
    port: Number(match[3]),
    ...(match[4] === undefined ? {} : { process: match[4], pid: Number(match[5]) }),
  };
}

function readProc(line: string): Listener | undefined {
  const match = /^(tcp|udp)(6?) +\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ ([0-9A-F]{2}) /.exec(line);
  // 0A is TCP_LISTEN; an unconnected UDP socket shows as 07.
  if (!match?.[3] || match[5] !== (match[1] === 'tcp' ? '0A' : '07')) return undefined;
  return {
    protocol: match[1] === 'udp' ? 'udp' : 'tcp',
    address: readProcAddress(match[3]),
    port: Number.parseInt(match[4] ?? '0', 16),
  };
}

/** Each 32-bit word is printed in host order: little-endian on every machine that Debian's mail packages run on. */
function readProcAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).reverse().map((byte) => Number.parseInt(byte, 16)),
  );
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.every((byte) => byte === 0)) return '::';
  if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return '::1';
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}
