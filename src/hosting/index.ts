import type { Dmi } from '../facts/dmi.js';
import { hetznerCloud } from './hetzner.js';
import type { HostingApi } from './hosting-api.js';
import { recogniseHosting } from './providers.js';

/** The registry: a hosting provider whose API sets PTR records is one file and one line here. */
const hostingApis: readonly HostingApi[] = [hetznerCloud];

/** The API of whoever runs the server, by what its firmware says. */
export function findHostingApi(dmi: Dmi): HostingApi | undefined {
  const hosting = recogniseHosting(dmi);
  return hosting && hostingApis.find((api) => api.hosting === hosting.id);
}

/** The API that a journal names. */
export function hostingApiOf(hosting: string): HostingApi | undefined {
  return hostingApis.find((api) => api.hosting === hosting);
}
