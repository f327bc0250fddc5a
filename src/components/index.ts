import { createAccounts } from './accounts.js';
import { createCertificates } from './certificates.js';
import type { Component } from './component.js';
import { createDkim } from './dkim.js';
import { createDovecot } from './dovecot.js';
import { createFail2ban } from './fail2ban.js';
import { createFirewall } from './firewall.js';
import { createHostName } from './host-name.js';
import { createNginx } from './nginx.js';
import { createPostfix } from './postfix.js';
import { createRedis } from './redis.js';
import { createRelay } from './relay.js';
import type { Render } from './render.js';
import { createRspamd } from './rspamd.js';
import { createSrs } from './srs.js';
import { createUnbound } from './unbound.js';
import { createUpgrades } from './upgrades.js';
import { createWarmup } from './warmup.js';
import { createWeb } from './web.js';

/** Every component, each after those it needs. A new one is one file and one line here. */
export function createComponents(render: Render): readonly Component[] {
  const services = [
    createHostName(),
    createUpgrades(render),
    createUnbound(render),
    createAccounts(render),
    createDkim(),
    createNginx(render),
    createCertificates(render),
    createRedis(render),
    createWeb(render),
    createRspamd(render),
    createDovecot(render),
    createSrs(render),
    createWarmup(render),
    createPostfix(render),
    createRelay(),
  ];
  return inOrder([...services, createFail2ban(render, services), createFirewall(render, services)]);
}

/** Depth first along `needs` and `provenWith`; throws on an unknown id and on a circle. */
export function inOrder(components: readonly Component[]): readonly Component[] {
  const byId = new Map(components.map((component) => [component.id, component]));
  const ordered = new Set<Component>();
  const visit = (id: string, path: readonly string[]): void => {
    const component = byId.get(id);
    if (component === undefined) throw new Error(`${path.at(-1)} needs ${id}, which does not exist`);
    if (path.includes(id)) throw new Error(`components need each other: ${[...path, id].join(' → ')}`);
    if (ordered.has(component)) return;
    for (const need of [...component.needs, ...(component.provenWith ?? [])]) visit(need, [...path, id]);
    ordered.add(component);
  };
  for (const { id } of components) visit(id, []);
  return [...ordered];
}
