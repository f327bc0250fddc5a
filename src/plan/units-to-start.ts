import type { UnitSpec } from '../components/component.js';
import type { UnitState } from '../facts/units.js';

export interface StoppedUnit {
  name: string;
  /** `not installed`, `stopped`, `failed`, `disabled`, … */
  reason: string;
}

/** Units that are not running or would not come back after a reboot. */
export function unitsToStart(
  specs: readonly UnitSpec[],
  found: ReadonlyMap<string, UnitState>,
): StoppedUnit[] {
  return specs.flatMap(({ name }) => {
    const state = found.get(name);
    if (!state) return [{ name, reason: 'not installed' }];
    if (state.active !== 'active')
      return [{ name, reason: state.active === 'inactive' ? 'stopped' : state.active }];
    // An instance has no state of its own: Debian's Postfix 3.7 is started through postfix.service and a generator.
    if (state.enabled === 'disabled' && !name.includes('@')) return [{ name, reason: 'disabled' }];
    return [];
  });
}
