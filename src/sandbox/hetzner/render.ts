import type { Json } from './request.js';
import type { HetznerZone, RecordSet } from './zone-store.js';

/** The one moment at which everything in this project was made. */
export const now = '2026-11-24T00:00:00Z';

export function renderSet(
  { name, type, ttl, records, protectedFromChange }: RecordSet,
  zone: HetznerZone,
): Json {
  return {
    id: `${name}/${type}`,
    name,
    type,
    ttl: ttl ?? null,
    labels: {},
    protection: { change: protectedFromChange },
    records: records.map(({ value, comment }) => ({ value, comment: comment ?? '' })),
    zone: zone.id,
  };
}

export function renderZone(zone: HetznerZone): Json {
  const { name, mode, delegation, nameServers, ttl } = zone.settings;
  return {
    id: zone.id,
    name,
    created: now,
    mode,
    ttl,
    labels: {},
    primary_nameservers: [],
    protection: { delete: false },
    status: 'ok',
    registrar: 'other',
    record_count: zone.list().length,
    authoritative_nameservers: {
      assigned: nameServers,
      delegated: delegation === 'valid' ? nameServers : [],
      delegation_last_check: now,
      delegation_status: delegation,
    },
  };
}
