import type { Parsed } from '../config/validate.js';
import { chooseRelay, type RelayChoice } from './choose-relay.js';
import { customRelay, findPreset, findTombstone } from './presets/index.js';

/** `PROVIDER`, `PROVIDER:REGION`, or `HOST[:PORT]` for a relay that has no preset. */
export function readRelayName(input: string): RelayChoice {
  const [name = '', more] = input.trim().toLowerCase().split(':');
  const known = findPreset(name) ?? findTombstone(name);
  if (known === undefined && name.includes('.'))
    return { provider: customRelay, host: name, ...(more === undefined ? {} : { port: Number(more) }) };
  return { provider: known?.id ?? name, ...(more === undefined ? {} : { region: more }) };
}

export function parseRelayName(input: string): Parsed {
  const choice = readRelayName(input);
  if (choice.port !== undefined && !(Number.isInteger(choice.port) && choice.port > 0 && choice.port < 65536))
    return { ok: false, problem: 'That is no port.', hint: 'Such as smtp.example.net:587.' };
  if (choice.host !== undefined && !/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(choice.host))
    return { ok: false, problem: 'That is no host name.', hint: 'Such as smtp.example.net:587.' };
  const chosen = chooseRelay(choice);
  if (!chosen.ok) return { ok: false, problem: chosen.problem, hint: chosen.hint };
  return { ok: true, value: input.trim().toLowerCase() };
}
