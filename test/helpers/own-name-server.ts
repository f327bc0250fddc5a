import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../../src/sandbox/index.js';
import { waitUntil } from '../../src/sandbox/machine/wait-until.js';

/** A name server that somebody runs for himself, with the lab's domain signed in it and delegated to it. */
export interface OwnNameServer {
  /** Environment for the CLI. */
  env: Readonly<Record<string, string>>;
  /** What it holds, without its own SOA, NS and DNSSEC: `name ttl type data`, sorted. */
  served(): Promise<string[]>;
}

interface Server {
  last: number;
  files: Readonly<Record<string, string>>;
  /** Shell, with the files in /lab. */
  start: string;
  /** Prints the zone's DS record. */
  ds: string;
  env(address: string): Readonly<Record<string, string>>;
}

const key = randomBytes(16).toString('hex');
const secret = randomBytes(32).toString('base64');

/** https://doc.powerdns.com/authoritative/settings.html */
function powerdns(domain: string, server: string): Server {
  return {
    last: 61,
    files: {
      'pdns.conf': [
        'launch=gsqlite3',
        'gsqlite3-database=/lab/pdns.db',
        'gsqlite3-dnssec=yes',
        'local-address=0.0.0.0',
        'socket-dir=/run',
        'allow-axfr-ips=0.0.0.0/0',
        'api=yes',
        `api-key=${key}`,
        'webserver=yes',
        'webserver-address=0.0.0.0',
        'webserver-allow-from=0.0.0.0/0',
        'zone-cache-refresh-interval=0',
        'cache-ttl=0',
        'negquery-cache-ttl=0',
        'query-cache-ttl=0',
        'guardian=no',
        'daemon=no',
        `default-soa-content=${server}. hostmaster.@ 0 10800 3600 604800 60`,
        '',
      ].join('\n'),
    },
    start: [
      'sqlite3 /lab/pdns.db < /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql',
      `pdnsutil --config-dir=/lab create-zone ${domain} ${server}`,
      `pdnsutil --config-dir=/lab secure-zone ${domain}`,
      'exec pdns_server --config-dir=/lab',
    ].join('\n'),
    // Not beside the lines above: each finds the database locked by the other, and gives up.
    ds: `[ ! -S /run/pdns.controlsocket ] || pdnsutil --config-dir=/lab export-zone-ds ${domain}`,
    env: (address) => ({ PDNS_API_URL: `http://${address}:8081`, PDNS_API_KEY: key }),
  };
}

/** https://bind9.readthedocs.io/en/stable/reference.html */
function named(domain: string, server: string): Server {
  return {
    last: 62,
    files: {
      'example.zone': `$ORIGIN ${domain}.\n$TTL 300\n@ SOA ${server}. hostmaster 1 3600 600 86400 60\n@ NS ${server}.\n`,
      'named.conf': `options {
  directory "/lab"; pid-file none; session-keyfile none; managed-keys-directory "/lab"; key-directory "/lab";
  listen-on { any; }; listen-on-v6 { none; }; recursion no; dnssec-validation no;
};
controls { };
key own { algorithm hmac-sha256; secret "${secret}"; };
zone "${domain}" {
  type primary; file "/lab/example.zone"; dnssec-policy default; inline-signing yes;
  allow-transfer { any; }; update-policy { grant own zonesub any; };
};
`,
    },
    start: 'exec named -g -c /lab/named.conf',
    ds: `dig @127.0.0.1 +tcp ${domain} DNSKEY | dnssec-dsfromkey -2 -f - ${domain}`,
    env: (address) => ({
      DNSUPDATE_NAMESERVER: `${address}:53`,
      DNSUPDATE_TSIG_KEY: 'own',
      DNSUPDATE_TSIG_SECRET: secret,
      DNSUPDATE_TSIG_ALGORITHM: 'hmac-sha256',
    }),
  };
}

/** The lab's one server holds parent and child, and answers for the child itself as long as it does. */
async function leaveLabServer({ domain, dns }: Lab): Promise<void> {
  const file = join(dns.host.root, 'lab', 'knot.conf');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(new RegExp(`  - domain: ${domain}\\.\n(?:    .*\n)*`), ''));
  const { code, stdout, stderr } = await dns.host.exec(['knotc', '-c', '/lab/knot.conf', 'reload']);
  if (code !== 0) throw new Error(stdout + stderr);
}

const servers = { powerdns, named };
const itsOwn = /^(SOA|NS|RRSIG|NSEC|NSEC3|NSEC3PARAM|DNSKEY|CDS|CDNSKEY|TYPE65534)$/;

/** Starts it with an empty zone, and moves the domain's delegation to it. */
export async function moveToOwnServer(lab: Lab, kind: keyof typeof servers): Promise<OwnNameServer> {
  const { domain, dns } = lab;
  const name = `ns-${kind}.test`;
  const { last, files, start, ds, env } = servers[kind](domain, name);
  const host = await lab.startHost(kind, {
    last,
    program: { kind: 'container', argv: ['sh', '-ec', start] },
    prepare: async (root) => {
      await mkdir(join(root, 'lab'), { recursive: true });
      for (const [file, text] of Object.entries(files)) await writeFile(join(root, 'lab', file), text);
    },
  });
  let found: string | undefined;
  const readDs = async (): Promise<boolean> => {
    const { stdout } = await host.exec(['sh', '-c', ds]);
    found = /\bDS\s+(\d+ \d+ 2 [0-9A-Fa-f ]+)/.exec(stdout)?.[1]?.trim();
    return found !== undefined;
  };
  const evidence = () => host.tail();
  await waitUntil(readDs, { what: `${kind} to sign ${domain}`, timeoutMs: 120_000, evidence });
  const ask = async (type: string) => {
    const argv = ['kdig', `@${host.ipv4}`, '+tcp', '+noall', '+answer', domain, type];
    return (await dns.host.exec(argv)).stdout.split('\n').filter((line) => /^\S+\s+\d+\s+IN\s/.test(line));
  };
  const answers = async () => (await ask('SOA')).length > 0;
  await waitUntil(answers, { what: `${kind} to serve ${domain}`, timeoutMs: 120_000, evidence });
  await dns.update('test.', [
    `delete ${domain}. NS`,
    `delete ${domain}. DS`,
    `add ${domain}. 300 NS ${name}.`,
    `add ${domain}. 300 DS ${found}`,
    `add ${name}. 300 A ${host.ipv4}`,
  ]);
  await leaveLabServer(lab);
  // Both resolvers still know the way to the former servers.
  await lab.resolverHost.flush();
  await lab.vps.exec('systemctl restart unbound');
  return {
    env: env(host.ipv4),
    served: async () =>
      (await ask('AXFR'))
        .map((line) => line.replace(/^(\S+)\s+(\d+)\s+IN\s+(\S+)\s+/, '$1 $2 $3 '))
        .filter((line) => !itsOwn.test(line.split(' ')[2] ?? ''))
        .sort(),
  };
}
