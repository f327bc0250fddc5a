import type { SpfAnswer, SpfLookup } from '../../src/dns/spf/index.js';

/** `name type` → values. `error` stands for SERVFAIL and timeouts. A name with other types is nodata, else nxdomain. */
export type SpfZone = Record<string, readonly string[] | 'error'>;

export function lookupOf(zone: SpfZone, asked: string[] = []): SpfLookup {
  const entries = new Map(
    Object.entries(zone).map(([key, value]) => {
      const [name = '', type = ''] = key.split(' ');
      return [`${name.toLowerCase()} ${type}`, value];
    }),
  );
  return (name, type): SpfAnswer => {
    asked.push(`${name} ${type}`);
    const value = entries.get(`${name} ${type}`);
    if (value === 'error') return { status: 'error', values: [] };
    if (value) return { status: value.length > 0 ? 'ok' : 'nodata', values: value };
    const exists = [...entries.keys()].some((key) => key.startsWith(`${name} `));
    return { status: exists ? 'nodata' : 'nxdomain', values: [] };
  };
}
