import { parseTarget, type TargetParts } from '../lib/ssh-target.js';
import { refuseLogin } from './failures.js';
import type { HostSettings } from './host-settings.js';

const MOST_HOPS = 8;

/**
 * The hosts to pass, jump hosts first and the target last. Each hop is looked up in ssh_config like any host; a
 * jump list of `a,b` means: to a, from there to b, from there on.
 */
export function planRoute(
  target: string,
  settingsFor: (target: TargetParts) => HostSettings,
): HostSettings[] {
  const route: HostSettings[] = [];
  const visit = (parts: TargetParts, chain: readonly string[], jumps: readonly string[] | undefined) => {
    const settings = settingsFor(parts);
    if (chain.includes(parts.host) || chain.length >= MOST_HOPS) throw loop([...chain, parts.host]);
    const hops = jumps ?? settings.proxyJump;
    const last = hops.at(-1);
    // Only the first hop of a list may itself need a jump host; the later ones are reached through the list.
    if (last !== undefined)
      visit(parseTarget(last), [...chain, parts.host], hops.length > 1 ? hops.slice(0, -1) : undefined);
    route.push(settings);
  };
  visit(parseTarget(target), [], undefined);
  return route;
}

function loop(chain: readonly string[]) {
  return refuseLogin({
    code: 'E_SSH_JUMP_LOOP',
    what: 'The ProxyJump lines of the SSH configuration lead in a circle, or through too many hosts.',
    evidence: [chain.join(' → ')],
    fix: ['Correct ProxyJump in ~/.ssh/config ("ProxyJump none" ends a chain).'],
  });
}
