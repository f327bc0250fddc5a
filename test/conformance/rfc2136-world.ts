import { formatData, typeOf } from '../../src/dns/canonical.js';
import { rfc2136 } from '../../src/dns/providers/rfc2136.js';
import type { DnsRecord } from '../../src/dns/record.js';
import { type RealDaemon, startRealDaemon, untilServed } from './real-daemon.js';
import type { World } from './world.js';

const zone = 'example.test';
const port = 53;
export const secret = Buffer.from('a secret of thirty-two bytes, ok').toString('base64');

const zoneFile = `$ORIGIN ${zone}.
$TTL 3600
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
`;

/** knotd with a signed zone. */
export async function startKnot(): Promise<RealDaemon> {
  const daemon = await startRealDaemon({
    files: {
      'example.zone': zoneFile,
      'knot.conf': `server:
    rundir: /run
    listen: 127.0.0.1@53
log:
  - target: stderr
    any: warning
database:
    storage: /mnt
key:
  - id: client
    algorithm: hmac-sha256
    secret: ${secret}
  - id: writer
    algorithm: hmac-sha512
    secret: ${secret}
acl:
  - id: full
    key: client
    action: [update, transfer]
  - id: write
    key: writer
    action: update
zone:
  - domain: ${zone}
    storage: /mnt
    file: example.zone
    acl: [full, write]
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
    dnssec-signing: on
`,
    },
    command: 'knotd -c /mnt/knot.conf',
    ports: [port],
  });
  return untilServed(daemon, zone);
}

/** named with a zone that takes updates. */
export async function startNamed(): Promise<RealDaemon> {
  const daemon = await startRealDaemon({
    files: {
      'example.zone': zoneFile,
      'named.conf': `options {
  directory "/mnt";
  pid-file none;
  session-keyfile none;
  managed-keys-directory "/mnt";
  listen-on { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  allow-transfer { none; };
};
controls { };
key client { algorithm hmac-sha256; secret "${secret}"; };
key writer { algorithm hmac-sha512; secret "${secret}"; };
zone "${zone}" {
  type primary;
  file "/mnt/example.zone";
  allow-transfer { key client; };
  update-policy { grant client zonesub any; grant writer zonesub any; };
};
`,
    },
    command: 'named -g -c /mnt/named.conf',
    ports: [port],
  });
  return untilServed(daemon, zone);
}

/** The zone of a running server, emptied; seeded by nsupdate, asked by dig. */
export async function makeRfc2136World(daemon: RealDaemon): Promise<World> {
  const update = async (lines: readonly string[]): Promise<void> => {
    const messages: string[] = [];
    for (let at = 0; at < lines.length; at += 100) messages.push(...lines.slice(at, at + 100), 'send');
    const script = ['server 127.0.0.1', `key hmac-sha256:client ${secret}`, `zone ${zone}.`, ...messages, ''];
    const { code, stderr, stdout } = await daemon.exec(['nsupdate', '-v', '-t', '60'], script.join('\n'));
    if (code !== 0) throw new Error(stdout + stderr);
  };
  const add = (record: DnsRecord): string =>
    `update add ${record.name}. ${record.ttl} ${typeOf(record.data)} ${formatData(record.data)}`;
  const remove = (record: DnsRecord): string =>
    `update delete ${record.name}. ${typeOf(record.data)} ${formatData(record.data)}`;
  const log: string[] = [];
  const waits: number[] = [];
  const open: World['open'] = (credentials = {}) =>
    rfc2136.open({
      credentials: {
        server: `127.0.0.1:${daemon.portTo(port)}`,
        keyName: 'client',
        secret,
        ...credentials,
      },
      fetch: () => Promise.reject(new Error('no HTTP here')),
      signal: new AbortController().signal,
      log: (line) => log.push(line),
      wait: async (milliseconds) => void waits.push(milliseconds),
    });
  let serial = '';
  const readSerial = async (): Promise<string> => (await dig('SOA', zone))[0]?.split(' ')[2] ?? '';
  const dig = async (type: string, name: string): Promise<string[]> => {
    const argv = ['dig', '@127.0.0.1', '+short', '+norec', '+tcp', '+nosplit', '+time=10', name, type];
    const { code, stdout, stderr } = await daemon.exec(argv);
    if (code !== 0) throw new Error(stdout + stderr);
    return stdout.split('\n').filter((line) => line.trim() !== '');
  };
  return {
    zone,
    capabilities: rfc2136.capabilities,
    log,
    waits,
    open,
    served: (name, type) => dig(type, name),
    seed: (record) => update([add(record)]),
    seedMany: (records) => update(records.map(add)),
    removeBehind: (record) => update([remove(record)]),
    changeBehind: (record, to) => update([remove(record), add(to)]),
    // The server counts for itself: its serial moves with each update that changes something.
    writeCount: async () => ((await readSerial()) === serial ? 0 : 1),
    resetWrites: async () => {
      waits.length = 0;
      serial = await readSerial();
    },
    close: async () => {
      const provider = await open();
      const found = await provider.findZone(zone);
      const left = found ? await provider.list(found) : [];
      const foreign = left.filter(
        ({ name, readOnly }) => !readOnly && name !== `ns1.${zone}` && !(name === zone),
      );
      const apex = left.filter(({ name, data }) => name === zone && data.type === 'TXT');
      await update([...foreign, ...apex].map(remove));
    },
  };
}
