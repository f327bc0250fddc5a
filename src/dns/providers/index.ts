import { canonicalName } from '../canonical.js';
import { cloudflare } from './cloudflare.js';
import { digitalocean } from './digitalocean.js';
import { hetzner } from './hetzner.js';
import { manual } from './manual.js';
import { powerdns } from './powerdns.js';
import type { ProviderDefinition } from './provider.js';
import { rfc2136 } from './rfc2136.js';
import { route53 } from './route53.js';
import { notWrittenYet, unsupportedProviders } from './unsupported.js';

/** The registry: a provider is one file and one line here. */
export const providers: readonly ProviderDefinition[] = [
  cloudflare,
  hetzner,
  route53,
  digitalocean,
  powerdns,
  rfc2136,
  manual,
];

/** The provider with this id (`--dns ID`). */
export function findProvider(id: string): ProviderDefinition | undefined {
  return providers.find((provider) => provider.id === id);
}

export type Recognised =
  | { kind: 'supported'; provider: ProviderDefinition }
  /** Its name is known; its API is not spoken, so records are printed instead. `why`: a sentence. */
  | { kind: 'unsupported'; title: string; why: string }
  | { kind: 'unknown' };

/**
 * Who serves a zone, from its NS records. Unknown when the servers belong to several (the zone may be copied from
 * anywhere then) or to nobody known.
 */
export function recogniseProvider(nameServers: readonly string[]): Recognised {
  const names = nameServers.map(canonicalName);
  const serves = (patterns: readonly RegExp[]): boolean =>
    names.length > 0 && names.every((name) => patterns.some((pattern) => pattern.test(name)));
  const provider = providers.find((candidate) => serves(candidate.nameServers));
  if (provider) return { kind: 'supported', provider };
  const other = unsupportedProviders.find((candidate) => serves(candidate.nameServers));
  if (other === undefined) return { kind: 'unknown' };
  return { kind: 'unsupported', title: other.title, why: other.why ?? notWrittenYet };
}
