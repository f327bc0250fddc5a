import { formatData, typeOf } from '../../src/dns/canonical.js';
import { powerdns } from '../../src/dns/providers/powerdns.js';
import type { DnsRecord } from '../../src/dns/record.js';
import { createFaultyFetch } from './faulty-fetch.js';
import { type RealDaemon, startRealDaemon } from './real-daemon.js';
import type { World } from './world.js';

const zone = 'example.test';
export const key = 'powerdns-test-key';
const port = 8081;

/** A pdns_server over SQLite with one zone, its API and its DNS. */
export function startPowerDns(): Promise<RealDaemon> {
  return startRealDaemon({
    files: {
      'pdns.conf': [
        'launch=gsqlite3',
        'gsqlite3-database=/mnt/pdns.db',
        'local-address=127.0.0.1',
        'local-port=53',
        'socket-dir=/run',
        'api=yes',
        `api-key=${key}`,
        'webserver=yes',
        'webserver-address=127.0.0.1',
        `webserver-port=${port}`,
        'cache-ttl=0',
        'query-cache-ttl=0',
        'negquery-cache-ttl=0',
        'zone-cache-refresh-interval=0',
        'guardian=no',
        'daemon=no',
        'loglevel=4',
        'default-soa-content=ns1.@ hostmaster.@ 0 10800 3600 604800 60',
      ].join('\n'),
    },
    prepare: [
      'sqlite3 /mnt/pdns.db < /usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql',
      `pdnsutil --config-dir=/mnt create-zone ${zone} ns1.${zone}`,
    ],
    command: 'pdns_server --config-dir=/mnt',
    ports: [port],
  });
}

const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The zone of a running server, emptied. */
export async function makePowerDnsWorld(daemon: RealDaemon): Promise<World> {
  const sql = async (...statements: string[]): Promise<void> => {
    const script = `PRAGMA foreign_keys=1;\nBEGIN;\n${statements.join('\n')}\nCOMMIT;\n`;
    const result = await daemon.exec(['sqlite3', '-bail', '/mnt/pdns.db'], script);
    if (result.code !== 0) throw new Error(result.stderr);
  };
  const where = (record: DnsRecord): string =>
    `name=${sqlText(record.name)} AND type=${sqlText(typeOf(record.data))}`;
  const insert = (record: DnsRecord): string =>
    `INSERT INTO records (domain_id, name, type, content, ttl, prio, disabled, auth) VALUES (1, ${sqlText(record.name)}, ${sqlText(typeOf(record.data))}, ${sqlText(formatData(record.data))}, ${record.ttl}, 0, 0, 1);`;
  const remove = (record: DnsRecord): string =>
    `DELETE FROM records WHERE ${where(record)} AND content=${sqlText(formatData(record.data))};`;
  await sql("DELETE FROM records WHERE type NOT IN ('SOA', 'NS');", 'DELETE FROM comments;');
  const faulty = createFaultyFetch();
  const log: string[] = [];
  const waits: number[] = [];
  const url = `http://127.0.0.1:${daemon.portTo(port)}`;
  return {
    zone,
    capabilities: powerdns.capabilities,
    log,
    waits,
    open: (credentials = {}) =>
      powerdns.open({
        credentials: { url, key, ...credentials },
        fetch: faulty.fetch,
        signal: new AbortController().signal,
        log: (line) => log.push(line),
        wait: async (milliseconds) => void waits.push(milliseconds),
      }),
    served: async (name, type) => {
      const argv = ['dig', '@127.0.0.1', '+short', '+norec', '+tcp', '+nosplit', '+time=10', name, type];
      const { code, stdout, stderr } = await daemon.exec(argv);
      if (code !== 0) throw new Error(stdout + stderr);
      return stdout.split('\n').filter((line) => line.trim() !== '');
    },
    seed: (record, how = {}) =>
      sql(
        insert(record),
        ...(how.comment === undefined
          ? []
          : [
              `INSERT INTO comments (domain_id, name, type, modified_at, account, comment) VALUES (1, ${sqlText(record.name)}, ${sqlText(typeOf(record.data))}, 1, 'bob', ${sqlText(how.comment)});`,
            ]),
      ),
    seedMany: (records) => sql(...records.map(insert)),
    removeBehind: (record) => sql(remove(record)),
    changeBehind: (record, to) => sql(remove(record), insert(to)),
    commentOf: async (record) => {
      const query = `SELECT comment FROM comments WHERE ${where(record)};`;
      const { stdout } = await daemon.exec(['sqlite3', '/mnt/pdns.db'], query);
      return stdout.trim() === '' ? undefined : stdout.trim();
    },
    writeCount: async () => faulty.writeCount(),
    resetWrites: async () => {
      faulty.reset();
      waits.length = 0;
    },
    faults: faulty.faults,
    close: async () => undefined,
  };
}
