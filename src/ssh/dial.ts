import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { Exit, SetupError } from '../errors.js';
import { type AuthRecord, planStages } from './auth-handler.js';
import { refuseLogin } from './failures.js';
import {
  type HostKeyPolicy,
  type HostKeyReport,
  otherThanPinned,
  parseFingerprint,
  reportHostKey,
  unknownKey,
} from './host-key.js';
import type { HostSettings } from './host-settings.js';
import { collectIdentities } from './identities.js';
import { knownHostsName, readFingerprint, readKeyType } from './known-hosts.js';
import { loadKnownHosts, loadRevokedKeys } from './known-hosts-files.js';
import { type LoginOutcome, type LoginRequest, login } from './login.js';
import type { LoginMemory } from './login-memory.js';
import type { SshLog, SshPrompts } from './prompts.js';

export interface DialRequest {
  settings: HostSettings;
  identity?: string;
  pin?: string;
  agentSocket?: string;
  memory: LoginMemory;
  prompts?: Partial<SshPrompts>;
  signal?: AbortSignal;
  log: SshLog;
  timeoutMs: number;
  keepaliveMs: number;
  /** Opens a fresh stream to the host; called once for each attempt. */
  openStream(): Promise<Duplex>;
}

export interface DialResult {
  client: Client;
  hostKey: HostKeyReport;
}

/** Logs in to one host, over as many connections as it takes. Throws SetupErrors with exit 2. */
export async function dial(request: DialRequest): Promise<DialResult> {
  const { settings, memory, prompts } = request;
  for (const warning of settings.warnings) request.log('warn', warning);
  const policy = await readPolicy(request);
  const identities = await collectIdentities({
    ...(request.identity === undefined ? {} : { explicit: request.identity }),
    // With --identity the default names are not tried as well; IdentityFile lines are, as ssh does.
    files: request.identity !== undefined && settings.identitiesDefault ? [] : settings.identityFiles,
    filesDefault: settings.identitiesDefault,
    identitiesOnly: settings.identitiesOnly,
    certificateFiles: settings.certificateFiles,
    ...agentSocket(request),
    memory,
    ...(prompts ? { prompts } : {}),
  });
  const passwordKey = `${settings.user}@${settings.host}:${settings.port}`;
  const interactive = memory.passwords.has(passwordKey) || Boolean(prompts?.password ?? prompts?.question);
  const record: AuthRecord = { tried: [], methods: [], notes: identities.notes };
  for (const stage of planStages(identities.keys, interactive)) {
    const outcome = await loginWithHostKey(request, policy, {
      user: settings.user,
      host: settings.host,
      port: settings.port,
      policy,
      stage,
      record,
      memory,
      ...(prompts ? { prompts } : {}),
      timeoutMs: request.timeoutMs,
      keepaliveMs: request.keepaliveMs,
      ...(request.signal ? { signal: request.signal } : {}),
      log: request.log,
    });
    if (outcome.status === 'in') {
      return { client: outcome.client, hostKey: reportHostKey(policy, outcome.key, outcome.verdict) };
    }
  }
  memory.passwords.delete(passwordKey);
  throw refusedLogin(settings, record, request.identity);
}

function agentSocket(request: DialRequest): { agentSocket?: string } {
  const { identityAgent } = request.settings;
  if (identityAgent === 'none') return {};
  const socket = identityAgent ?? request.agentSocket;
  return socket ? { agentSocket: socket } : {};
}

async function readPolicy(request: DialRequest): Promise<HostKeyPolicy> {
  const { settings, memory } = request;
  const name = knownHostsName(settings.host, settings.port, settings.hostKeyAlias);
  const files = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
  const confirmed = memory.hostKeys.get(name);
  const bare = settings.host.toLowerCase();
  return {
    label: settings.port === 22 ? settings.host : `${settings.host} port ${settings.port}`,
    names: settings.hostKeyAlias === undefined && name !== bare ? [name, bare] : [name],
    entries: await loadKnownHosts(files, (warning) => request.log('warn', warning)),
    revoked: await loadRevokedKeys(settings.revokedHostKeys),
    ...(request.pin === undefined ? {} : { pin: parseFingerprint(request.pin) }),
    ...(confirmed === undefined ? {} : { confirmed }),
    file: settings.userKnownHostsFiles[0] ?? 'known_hosts',
    hashNames: settings.hashKnownHosts,
  };
}

// One login for each type of key that a pinned fingerprint may belong to; the server chooses among what is offered.
const PIN_TYPES = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ssh-rsa'];

/** Repeats the login until the host key question is answered: confirmed by the person, or found among the server's other keys. */
async function loginWithHostKey(
  request: DialRequest,
  policy: HostKeyPolicy,
  base: Omit<LoginRequest, 'stream'>,
): Promise<Exclude<LoginOutcome, { status: 'host-key' }>> {
  const attempt = async (extra: { onlyKeyType?: string } = {}) =>
    login({ ...base, ...extra, stream: await request.openStream() });
  const outcome = await attempt();
  if (outcome.status !== 'host-key') return outcome;
  if (outcome.verdict.ask) {
    await confirmKey(request, policy, outcome.key);
    policy.confirmed = outcome.key;
    const again = await attempt();
    if (again.status !== 'host-key') return again;
    throw again.verdict.ask ? unknownKey(policy, again.key, 'it was not confirmed') : again.verdict.error;
  }
  if (outcome.verdict.error.code !== 'E_HOST_KEY_MISMATCH') throw outcome.verdict.error;
  const seen = [outcome.key];
  for (const type of PIN_TYPES.filter((one) => one !== readKeyType(outcome.key))) {
    const other = await attempt({ onlyKeyType: type }).catch((error: unknown) => {
      // A server without a key of this type has no algorithm in common with what is offered.
      if (error instanceof SetupError && error.code === 'E_SSH_ALGORITHMS') return undefined;
      throw error;
    });
    if (other === undefined) continue;
    if (other.status !== 'host-key') return other;
    seen.push(other.key);
  }
  throw otherThanPinned(policy, seen);
}

async function confirmKey(request: DialRequest, policy: HostKeyPolicy, key: Buffer): Promise<void> {
  if (request.settings.strictHostKeys) throw unknownKey(policy, key, 'StrictHostKeyChecking is "yes"');
  const ask = request.prompts?.confirmHostKey;
  if (!ask) throw unknownKey(policy, key, 'there is nobody to ask');
  const agreed = await ask(policy.label, readFingerprint(key), readKeyType(key) ?? 'unknown');
  if (!agreed) {
    throw new SetupError({
      code: 'E_HOST_KEY_DECLINED',
      exit: Exit.cancelled,
      what: `The host key of ${policy.label} was not confirmed. Nothing was sent.`,
      fix: ["Compare with the provider's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"],
    });
  }
  request.memory.hostKeys.set(policy.names[0] ?? policy.label, key);
}

function refusedLogin(settings: HostSettings, record: AuthRecord, identity: string | undefined): SetupError {
  const { user, host } = settings;
  const methods = record.methods.length > 0 ? record.methods.join(', ') : 'none';
  const onlyPassword = !record.methods.includes('publickey');
  const takesPassword = record.methods.some((method) =>
    ['password', 'keyboard-interactive'].includes(method),
  );
  return refuseLogin({
    code: 'E_SSH_AUTH',
    what: `${host} does not let ${user} in.`,
    evidence: [
      `the server accepts: ${methods}`,
      ...(record.tried.length > 0
        ? record.tried.map((one) => `tried: ${one}`)
        : ['tried: nothing, there was no key or password to try']),
      ...record.notes,
    ],
    fix: [
      ...(onlyPassword
        ? ['The server accepts no keys: run on a terminal to be asked for the password.']
        : [
            identity === undefined
              ? 'Name the right key: --identity FILE.'
              : `Install the key: ssh-copy-id -i ${identity}.pub ${user}@${host}`,
            `Check the user name (now ${user}), and that the key is in its authorized_keys.`,
          ]),
      ...(takesPassword
        ? [
            'Without a terminal: SMTP_SETUP_SSH_PASSWORD, or SMTP_SETUP_SSH_PASSWORD_FILE, gives the password of the server itself (a jump host never gets it).',
          ]
        : []),
    ],
  });
}
