import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabCloudflare, openCloudflare, startCloudflare } from './cloudflare/start-cloudflare.js';
import type { Lab } from './lab.js';
import { openPanel } from './panel/panel.js';

/** What a person would have in hand before the first `init`: accounts, a mailbox name, a password, a home folder. */
export interface Rehearsal {
  cloudflare: LabCloudflare;
  hostname: string;
  mailbox: string;
  password: string;
  /** HOME of the rehearsing user; known_hosts and the state folder go there. */
  home: string;
  configFile: string;
  passwordFile: string;
  /** Environment for the CLI in the client's network. */
  env: Readonly<Record<string, string>>;
  /** How to reach the server, and whom to ask. */
  connectFlags: readonly string[];
  /** `init` without a question. */
  initArguments: readonly string[];
}

const homeOf = (lab: Lab): string => join(lab.directory, 'home');

/** Opens the accounts at the DNS provider and writes the files that `init` is given. `setPtr`: as a careful user has done. */
export async function prepareRehearsal(lab: Lab, options: { setPtr?: boolean } = {}): Promise<Rehearsal> {
  const home = homeOf(lab);
  await mkdir(home, { recursive: true, mode: 0o700 });
  // Never a hyphen at its beginning: it is handed to programs that would take it for an option.
  const password = randomBytes(15).toString('hex');
  await writeFile(join(home, 'password'), `${password}\n`, { mode: 0o600 });
  const cloudflare = await startCloudflare(lab);
  const rehearsal = describe(lab, cloudflare, password);
  if (options.setPtr !== false) {
    const addresses = [lab.vps.ipv4, ...(lab.vps.ipv6 === undefined ? [] : [lab.vps.ipv6])];
    const panel = openPanel(lab.dns, addresses);
    for (const address of addresses) await panel.setPtr(address, `${rehearsal.hostname}.`);
  }
  return rehearsal;
}

/** The rehearsal that another process prepared in this lab; undefined when there is none. */
export async function openRehearsal(lab: Lab): Promise<Rehearsal | undefined> {
  const cloudflare = await openCloudflare(lab);
  if (cloudflare === undefined) return undefined;
  const { readFile } = await import('node:fs/promises');
  const password = (await readFile(join(homeOf(lab), 'password'), 'utf8')).trimEnd();
  return describe(lab, cloudflare, password);
}

function describe(lab: Lab, cloudflare: LabCloudflare, password: string): Rehearsal {
  const home = homeOf(lab);
  const hostname = `mail.${lab.domain}`;
  const mailbox = `ada@${lab.domain}`;
  const configFile = join(home, 'smtp-setup.yaml');
  const passwordFile = join(home, 'password');
  const connectFlags = [
    ...['--ssh', `root@${lab.vps.ipv4}`],
    ...['--identity', lab.vps.sshKeyFile],
    ...['--host-key', lab.vps.hostKeyFingerprint],
    ...['--acme-directory', lab.acme.directory],
    ...['--acme-ca', lab.acme.caFile],
    ...['--resolver', lab.resolver],
    ...['--server-forwarder', lab.resolver],
    ...['--trust-anchor', lab.trustAnchorFile],
    ...['--config', configFile],
  ];
  return {
    cloudflare,
    hostname,
    mailbox,
    password,
    home,
    configFile,
    passwordFile,
    connectFlags,
    env: {
      HOME: home,
      XDG_STATE_HOME: join(home, 'state'),
      CLOUDFLARE_API_TOKEN: cloudflare.token,
      CLOUDFLARE_BASE_URL: cloudflare.baseUrl,
    },
    initArguments: [
      'init',
      ...connectFlags,
      ...['--domain', lab.domain, '--hostname', hostname, '--dns', 'cloudflare'],
      ...['--mailbox', mailbox, '--password-file', passwordFile, '--yes'],
    ],
  };
}
