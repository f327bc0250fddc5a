import { createHash } from 'node:crypto';
import { isAbsolute, join } from 'node:path';
import { refuseLogin } from './failures.js';

/** What the percent tokens of ssh_config(5) TOKENS stand for. */
export interface TokenValues {
  homeDir: string;
  localUser: string;
  localUid: number;
  localHostname: string;
  originalHost: string;
  host: string;
  port: number;
  user: string;
  hostKeyAlias?: string;
  proxyJump: string;
}

/** Replaces %-tokens. Throws SetupError E_SSH_CONFIG naming the place for an unknown one, as ssh does. */
export function expandTokens(text: string, values: TokenValues, place: string): string {
  const localShort = values.localHostname.split('.')[0] ?? '';
  const hash = () =>
    createHash('sha1')
      .update(`${values.localHostname}${values.host}${values.port}${values.user}${values.proxyJump}`)
      .digest('hex');
  return text.replace(/%(.?)/gs, (_, token: string) => {
    switch (token) {
      case '%':
        return '%';
      case 'd':
        return values.homeDir;
      case 'h':
        return values.host;
      case 'i':
        return String(values.localUid);
      case 'j':
        return values.proxyJump;
      case 'k':
        return values.hostKeyAlias ?? values.host;
      case 'L':
        return localShort;
      case 'l':
        return values.localHostname;
      case 'n':
        return values.originalHost;
      case 'p':
        return String(values.port);
      case 'r':
        return values.user;
      case 'u':
        return values.localUser;
      case 'C':
        return hash();
      default:
        throw refuseLogin({
          code: 'E_SSH_CONFIG',
          what: `The SSH configuration uses %${token}, which is not known here.`,
          evidence: [place],
          fix: ['Write the path out, or give the value by flag (--identity).'],
        });
    }
  });
}

/**
 * A path of ssh_config: tokens replaced, `~` expanded. A relative one starts at the home directory: ssh would take the working
 * directory, and then the same configuration would mean another key in another project.
 */
export function expandPath(text: string, values: TokenValues, place: string): string {
  const path = expandTokens(text, values, place);
  if (path === '~' || path.startsWith('~/')) return join(values.homeDir, path.slice(1));
  return isAbsolute(path) ? path : join(values.homeDir, path);
}
