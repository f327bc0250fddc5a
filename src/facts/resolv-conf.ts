import { isIP } from 'node:net';
import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface ResolvConf {
  nameservers: readonly string[];
  /** Where /etc/resolv.conf points when it is a symbolic link. */
  link?: string;
  content: string;
}

export const resolvConf: Probe<ResolvConf> = {
  script: 'readlink /etc/resolv.conf; echo --; head -c 8192 /etc/resolv.conf',
  parse({ stdout }) {
    const [link = ''] = readParts(stdout, 2);
    const at = stdout.indexOf('--\n');
    const content = at < 0 ? '' : stdout.slice(at + 3);
    return {
      nameservers: readLines(content).flatMap((line) => {
        const address = /^nameserver\s+(\S+)/.exec(line)?.[1]?.replace(/%.*$/, '');
        return address !== undefined && isIP(address) !== 0 ? [address] : [];
      }),
      ...(link.trim() === '' ? {} : { link: link.trim() }),
      content,
    };
  },
};
