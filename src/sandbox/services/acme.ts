import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { addressOf, HOSTS, labDir } from '../layout.js';
import { createServiceHost, type HostProgram, type LabHost, openHost } from '../machine/host.js';
import { waitUntil } from '../machine/wait-until.js';
import { commandFailed, run } from '../run.js';
import type { LabState } from '../state.js';

const NAME = 'acme.test';
const PROGRAM: HostProgram = {
  kind: 'container',
  argv: [
    'pebble',
    '-config',
    '/lab/pebble.json',
    '-dnsserver',
    `${addressOf(HOSTS.resolver, false).ipv4}:53`,
  ],
  // Without these the CA waits up to 15 s before it validates, refuses one nonce in twenty and reuses every second
  // authorization, on purpose.
  env: { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0' },
};

/** A real ACME certificate authority (RFC 8555), HTTP-01 on port 80, TLS-ALPN-01 on 443. */
export interface LabAcme {
  readonly host: LabHost;
  readonly directory: string;
  /** Certificate of the throwaway authority that signed the ACME server's own certificate. */
  readonly caFile: string;
  /** Root certificate (PEM) of the chain that it issues; a new one every time the CA starts. */
  roots(): Promise<string>;
}

export function openAcme(state: LabState): LabAcme {
  const host = openHost(state, 'acme', HOSTS.acme, PROGRAM);
  return {
    host: {
      ...host,
      start: async () => {
        await host.start();
        await waitForDirectory(host);
      },
    },
    directory: `https://${NAME}:14000/dir`,
    caFile: join(labDir(state.name), 'acme-ca.pem'),
    roots: async () => {
      const result = await fetchFrom(host, 15_000, 'roots/0');
      if (result.code !== 0) throw commandFailed(['curl', 'roots/0'], result);
      return result.stdout;
    },
  };
}

export async function startAcme(state: LabState): Promise<LabAcme> {
  await createServiceHost(state, 'acme', HOSTS.acme, PROGRAM, async (root) => {
    const directory = join(root, 'lab');
    await mkdir(directory, { recursive: true });
    await makeServerCertificate(root, state.ipv6);
    await copyFile(join(directory, 'ca.pem'), openAcme(state).caFile);
    const pebble = {
      listenAddress: ':14000',
      managementListenAddress: ':15000',
      certificate: '/lab/server.pem',
      privateKey: '/lab/server.key',
      httpPort: 80,
      tlsPort: 443,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
    };
    await writeFile(join(directory, 'pebble.json'), JSON.stringify({ pebble }));
  });
  const acme = openAcme(state);
  await acme.host.start();
  return acme;
}

// By the image's own openssl: Node cannot issue certificates.
async function makeServerCertificate(root: string, ipv6: boolean): Promise<void> {
  const address = addressOf(HOSTS.acme, ipv6);
  const names = [
    `DNS:${NAME}`,
    `IP:${address.ipv4}`,
    ...(address.ipv6 === undefined ? [] : [`IP:${address.ipv6}`]),
  ];
  const request = [
    'chroot',
    root,
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
  ];
  const [command = '', ...common] = [...request, '-days', '3650'];
  await run(command, [
    ...common,
    ...['-subj', '/CN=smtp-setup sandbox CA', '-keyout', '/lab/ca.key', '-out', '/lab/ca.pem'],
    ...['-addext', 'keyUsage=critical,keyCertSign'],
  ]);
  await run(command, [
    ...common,
    ...['-CA', '/lab/ca.pem', '-CAkey', '/lab/ca.key', '-subj', `/CN=${NAME}`],
    ...['-keyout', '/lab/server.key', '-out', '/lab/server.pem'],
    ...['-addext', `subjectAltName=${names.join(',')}`, '-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
}

async function waitForDirectory(host: LabHost): Promise<void> {
  await waitUntil(async () => (await fetchFrom(host, 14_000, 'dir')).code === 0, {
    what: 'the ACME server to answer',
    timeoutMs: 120_000,
    evidence: () => host.tail(),
  });
}

function fetchFrom(host: LabHost, port: number, path: string) {
  const url = `https://${host.ipv4}:${port}/${path}`;
  return host.exec(['curl', '--silent', '--fail', '--max-time', '30', '--cacert', '/lab/ca.pem', url]);
}
