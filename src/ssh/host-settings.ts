import type { TargetParts } from '../lib/ssh-target.js';
import type { ConfigLine } from './config-lines.js';
import { type MatchContext, matchesHostLine, matchesMatchLine } from './config-match.js';
import { expandPath, type TokenValues } from './config-tokens.js';
import { refuseLogin } from './failures.js';

/** What ssh_config says about one host, defaults filled in and paths expanded. */
export interface HostSettings {
  /** As typed: Host alias or host. */
  originalHost: string;
  host: string;
  port: number;
  user: string;
  identityFiles: readonly string[];
  /** No IdentityFile was set: the default keys are tried. */
  identitiesDefault: boolean;
  identitiesOnly: boolean;
  /** Socket path; 'none' forbids the agent; undefined: SSH_AUTH_SOCK. */
  identityAgent?: string;
  certificateFiles: readonly string[];
  /** Hops, first one first; empty: direct. */
  proxyJump: readonly string[];
  hostKeyAlias?: string;
  userKnownHostsFiles: readonly string[];
  globalKnownHostsFiles: readonly string[];
  revokedHostKeys?: string;
  hashKnownHosts: boolean;
  /** StrictHostKeyChecking yes: an unknown key is refused without asking. Weaker values than "ask" are not followed. */
  strictHostKeys: boolean;
  /** 0: any. */
  addressFamily: 0 | 4 | 6;
  warnings: readonly string[];
}

export interface LocalIdentity {
  homeDir: string;
  user: string;
  uid: number;
  hostname: string;
  /** /etc/ssh, or another directory in tests. */
  systemDir: string;
}

const REPEATABLE = new Set(['identityfile', 'certificatefile']);

/** Applies ssh_config to a target: the first value of each keyword wins, user file before system file. Pure. */
export function evaluateSshConfig(
  target: TargetParts,
  files: readonly (readonly ConfigLine[])[],
  local: LocalIdentity,
): HostSettings {
  const values = new Map<string, ConfigLine[]>();
  const warnings: string[] = [];
  const context: MatchContext = {
    originalHost: target.host,
    localUser: local.user,
    host: () => hostNameOf(values, target),
    user: () => target.user ?? values.get('user')?.[0]?.args[0] ?? local.user,
    final: false,
    wantsFinal: false,
    warn: (message) => void (warnings.includes(message) || warnings.push(message)),
  };
  for (const lines of files) collect(lines, true, values, context);
  if (context.wantsFinal) {
    context.final = true;
    for (const lines of files) collect(lines, true, values, context);
  }
  return settle(target, values, local, warnings);
}

/** Walks the lines in order; `outer` is whether the block around an Include is active. */
function collect(
  lines: readonly ConfigLine[],
  outer: boolean,
  values: Map<string, ConfigLine[]>,
  context: MatchContext,
): void {
  let active = outer;
  for (const line of lines) {
    if (line.keyword === 'host') active = outer && matchesHostLine(line, context);
    else if (line.keyword === 'match') active = outer && matchesMatchLine(line, context);
    else if (line.keyword === 'include') collect(line.included ?? [], active, values, context);
    else if (active) {
      const seen = values.get(line.keyword);
      if (!seen) values.set(line.keyword, [line]);
      else if (REPEATABLE.has(line.keyword) && !seen.includes(line)) seen.push(line);
    }
  }
}

function hostNameOf(values: Map<string, ConfigLine[]>, target: TargetParts): string {
  const written = values.get('hostname')?.[0]?.args[0];
  if (written === undefined) return target.host;
  // Only %h and %% make sense here: everything else depends on the name itself.
  return written.replace(/%(h|%)/g, (_, token: string) => (token === 'h' ? target.host : '%'));
}

function settle(
  target: TargetParts,
  values: Map<string, ConfigLine[]>,
  local: LocalIdentity,
  warnings: string[],
): HostSettings {
  const first = (keyword: string) => values.get(keyword)?.[0]?.args[0];
  const isYes = (keyword: string) => /^(yes|true)$/i.test(first(keyword) ?? '');
  refuseProxyCommand(values, target);

  const host = hostNameOf(values, target);
  const port = target.port ?? readPort(values.get('port')?.[0]) ?? 22;
  const user = target.user ?? first('user') ?? local.user;
  const hostKeyAlias = first('hostkeyalias');
  const jump = first('proxyjump');
  const tokens: TokenValues = {
    homeDir: local.homeDir,
    localUser: local.user,
    localUid: local.uid,
    localHostname: local.hostname,
    originalHost: target.host,
    host,
    port,
    user,
    ...(hostKeyAlias === undefined ? {} : { hostKeyAlias }),
    proxyJump: jump ?? '',
  };
  const paths = (keyword: string, byDefault: readonly string[]) => {
    const lines = values.get(keyword);
    if (!lines) return [...byDefault];
    return lines
      .flatMap((line) => line.args.map((arg) => ({ arg, place: `${line.file}:${line.line}` })))
      .filter(({ arg }) => arg.toLowerCase() !== 'none')
      .map(({ arg, place }) => expandPath(arg, tokens, place));
  };

  const strict = (first('stricthostkeychecking') ?? 'ask').toLowerCase();
  if (['no', 'off', 'accept-new', 'false'].includes(strict)) {
    warnings.push(
      `StrictHostKeyChecking ${strict} is not followed: an unknown host key is always asked about.`,
    );
  }
  if (first('knownhostscommand')) warnings.push('KnownHostsCommand is not run; known_hosts files are read.');
  const family = first('addressfamily')?.toLowerCase();
  const identityAgent = readIdentityAgent(values.get('identityagent')?.[0], tokens, warnings);
  const revoked = paths('revokedhostkeys', [])[0];
  const ssh = `${local.homeDir}/.ssh`;
  const defaultKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `${ssh}/${name}`);
  return {
    originalHost: target.host,
    host,
    port,
    user,
    identityFiles: paths('identityfile', defaultKeys),
    identitiesDefault: !values.has('identityfile'),
    identitiesOnly: isYes('identitiesonly'),
    ...(identityAgent === undefined ? {} : { identityAgent }),
    certificateFiles: paths('certificatefile', []),
    proxyJump: jump === undefined || jump.toLowerCase() === 'none' ? [] : jump.split(','),
    ...(hostKeyAlias === undefined ? {} : { hostKeyAlias }),
    userKnownHostsFiles: paths('userknownhostsfile', [`${ssh}/known_hosts`, `${ssh}/known_hosts2`]),
    globalKnownHostsFiles: paths('globalknownhostsfile', [
      `${local.systemDir}/ssh_known_hosts`,
      `${local.systemDir}/ssh_known_hosts2`,
    ]),
    ...(revoked === undefined ? {} : { revokedHostKeys: revoked }),
    hashKnownHosts: isYes('hashknownhosts'),
    strictHostKeys: strict === 'yes' || strict === 'true',
    addressFamily: family === 'inet' ? 4 : family === 'inet6' ? 6 : 0,
    warnings,
  };
}

function readPort(line: ConfigLine | undefined): number | undefined {
  if (!line) return undefined;
  const port = /^[0-9]{1,5}$/.test(line.args[0] ?? '') ? Number(line.args[0]) : 0;
  if (port >= 1 && port <= 65535) return port;
  throw refuseLogin({
    code: 'E_SSH_CONFIG',
    what: 'The SSH configuration has a port that is not a number from 1 to 65535.',
    evidence: [`${line.file}:${line.line}`],
    fix: ['Correct the line, or give the port: HOST:PORT.'],
  });
}

function readIdentityAgent(
  line: ConfigLine | undefined,
  tokens: TokenValues,
  warnings: string[],
): string | undefined {
  const text = line?.args[0];
  if (!line || text === undefined || text === 'SSH_AUTH_SOCK') return undefined;
  if (text.toLowerCase() === 'none') return 'none';
  const place = `${line.file}:${line.line}`;
  if (text.startsWith('$')) {
    warnings.push(`${place}: IdentityAgent from an environment variable is not read; SSH_AUTH_SOCK is used.`);
    return undefined;
  }
  return expandPath(text, tokens, place);
}

// Running a program that a file names is not ours to do unasked; and without it the host cannot be reached.
function refuseProxyCommand(values: Map<string, ConfigLine[]>, target: TargetParts): void {
  const command = values.get('proxycommand')?.[0];
  const jump = values.get('proxyjump')?.[0];
  if (!command || command.args[0]?.toLowerCase() === 'none') return;
  // ssh_config(5): of ProxyCommand and ProxyJump, the one given first counts.
  if (jump && jump.file === command.file && jump.line < command.line) return;
  throw refuseLogin({
    code: 'E_SSH_PROXY_COMMAND',
    what: `The SSH configuration reaches ${target.host} through a ProxyCommand, which is never run here.`,
    evidence: [`${command.file}:${command.line}`],
    fix: ['Use ProxyJump instead, or give the address itself: USER@ADDRESS:PORT.'],
  });
}
