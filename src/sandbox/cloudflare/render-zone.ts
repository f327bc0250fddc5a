import type { ZoneStore } from './zone-store.js';

export const account = { id: 'acc0acc0acc0acc0acc0acc0acc0acc0', name: 'Rehearsal account' } as const;

/** A zone as https://developers.cloudflare.com/api/resources/zones/methods/get/ shows it. */
export function renderZone(zone: ZoneStore): Record<string, unknown> {
  const { settings } = zone;
  const status = settings.status ?? 'active';
  return {
    id: zone.id,
    name: zone.name,
    status,
    paused: settings.paused ?? false,
    type: settings.type ?? 'full',
    development_mode: 0,
    name_servers: settings.nameServers ?? ['ada.ns.cloudflare.com', 'bob.ns.cloudflare.com'],
    ...(settings.vanityNameServers === undefined ? {} : { vanity_name_servers: settings.vanityNameServers }),
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    created_on: zone.createdOn,
    modified_on: zone.createdOn,
    activated_on: status === 'active' ? zone.createdOn : null,
    meta: { step: 2, custom_certificate_quota: 0, page_rule_quota: 3, phishing_detected: false },
    owner: { id: null, type: 'user', email: null },
    account,
    tenant: { id: null, name: null },
    tenant_unit: { id: null },
    permissions: ['#zone:read', '#dns_records:read', '#dns_records:edit'],
    plan: {
      id: '0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee',
      name: 'Free Website',
      price: 0,
      currency: 'USD',
      frequency: '',
      is_subscribed: false,
      can_subscribe: false,
      legacy_id: 'free',
      legacy_discount: false,
      externally_managed: false,
    },
  };
}
