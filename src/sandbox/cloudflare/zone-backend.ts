/** A resource record as a zone file writes it; `name` without the final dot, host names inside `rdata` with it. */
export interface ZoneRecord {
  name: string;
  /** Seconds. */
  ttl: number;
  type: string;
  rdata: string;
}

export interface ZoneUpdate {
  add: readonly ZoneRecord[];
  remove: readonly ZoneRecord[];
}

/** Where an emulator's records become visible to resolvers. One call is one transaction. */
export interface ZoneBackend {
  update(zone: string, change: ZoneUpdate): Promise<void>;
}

export interface MemoryBackend extends ZoneBackend {
  records(zone: string): ZoneRecord[];
}

const keyOf = (record: ZoneRecord): string => `${record.name} ${record.type} ${record.rdata}`;

/**
 * A backend for tests without a name server. Stricter than a name server: removing what is not there throws,
 * because that would mean the emulator lost track of its own zone.
 */
export function createMemoryBackend(): MemoryBackend {
  const zones = new Map<string, Map<string, ZoneRecord>>();
  const zoneOf = (name: string): Map<string, ZoneRecord> => {
    const found = zones.get(name);
    if (found) return found;
    const made = new Map<string, ZoneRecord>();
    zones.set(name, made);
    return made;
  };
  return {
    async update(zone, { add, remove }) {
      const records = zoneOf(zone);
      for (const record of remove) {
        if (!records.delete(keyOf(record))) throw new Error(`not in ${zone}: ${keyOf(record)}`);
      }
      for (const record of add) records.set(keyOf(record), record);
    },
    records: (zone) => [...zoneOf(zone).values()],
  };
}

export interface UpdateServer {
  address: string;
  port: number;
  /** TSIG key (RFC 8945). */
  key?: { name: string; algorithm: string; secret: string };
}

/**
 * A backend that speaks nsupdate's language (RFC 2136): `send` gets one script
 * and rejects when the server did not accept it.
 */
export function createUpdateBackend(
  server: UpdateServer,
  send: (script: string) => Promise<void>,
): ZoneBackend {
  return {
    async update(zone, { add, remove }) {
      if (add.length + remove.length === 0) return;
      await send(renderUpdateScript(server, zone, { add, remove }));
    },
  };
}

/** Records in one update message, which may have 64 KiB. */
const perMessage = 100;

/** The script for an update; removals come first because RFC 2136 section 3.4.2 works in order. */
export function renderUpdateScript(
  { address, port, key }: UpdateServer,
  zone: string,
  { add, remove }: ZoneUpdate,
): string {
  const head = [
    `server ${address} ${port}`,
    ...(key ? [`key ${key.algorithm}:${key.name} ${key.secret}`] : []),
    `zone ${zone}.`,
  ];
  const updates = [
    ...remove.map(({ name, type, rdata }) => `update delete ${name}. ${type} ${rdata}`),
    ...add.map(({ name, ttl, type, rdata }) => `update add ${name}. ${ttl} ${type} ${rdata}`),
  ];
  const messages: string[] = [];
  for (let at = 0; at < updates.length; at += perMessage) {
    messages.push(...updates.slice(at, at + perMessage), 'send');
  }
  return `${[...head, ...messages, 'quit'].join('\n')}\n`;
}
