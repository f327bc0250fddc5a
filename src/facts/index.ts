import { accounts } from './accounts.js';
import { addresses } from './addresses.js';
import { before } from './before.js';
import { candidates } from './candidates.js';
import { certificate } from './certificate.js';
import { clock } from './clock.js';
import { disk } from './disk.js';
import { dkim } from './dkim.js';
import { dmi } from './dmi.js';
import { dpkgState } from './dpkg-state.js';
import { firewall } from './firewall.js';
import { firstBoot } from './first-boot.js';
import { hostName } from './host-name.js';
import { initSystem } from './init-system.js';
import { lastBackup } from './last-backup.js';
import { listeners } from './listeners.js';
import { localAdditions } from './local-additions.js';
import { machine } from './machine.js';
import { osRelease } from './os-release.js';
import { otherMail } from './other-mail.js';
import { outboundSmtp } from './outbound-smtp.js';
import { ownUpgrades } from './own-upgrades.js';
import { packages } from './packages.js';
import type { Probe } from './probe.js';
import { relayLogins } from './relay-logins.js';
import { resolvConf } from './resolv-conf.js';
import { restored } from './restored.js';
import { serverState } from './server-state.js';
import { units } from './units.js';
import { warmup } from './warmup.js';
import { watchedFiles } from './watched-files.js';
import { web } from './web.js';

/** Every question asked of the server; adding a fact is one file and one line here. */
export const probes = {
  os: osRelease,
  init: initSystem,
  machine,
  disk,
  clock,
  dpkg: dpkgState,
  firstBoot,
  packages,
  ownUpgrades,
  candidates,
  otherMail,
  listeners,
  firewall,
  addresses,
  hostName,
  dmi,
  resolvConf,
  units,
  files: watchedFiles,
  state: serverState,
  dkim,
  certificate,
  accounts,
  web,
  localAdditions,
  relayLogins,
  warmup,
  lastBackup,
  before,
  restored,
  outbound: outboundSmtp,
} satisfies Record<string, Probe<unknown>>;

/** What is, on the server. Plain data; untrusted as far as it is text. */
export type Facts = { readonly [K in keyof typeof probes]: ReturnType<(typeof probes)[K]['parse']> };
