import { ancestorsWithin, canonicalName, isWithin, typeOf } from '../canonical.js';
import { applyChanges, recordsOfSet } from '../diff.js';
import { allNameServers } from '../providers/provider.js';
import { splitTxt } from '../txt.js';
import type { ZonePlan } from '../zone-plan.js';
import type { PlanBuilder } from './builder.js';
import { toChange } from './sequence.js';

/** Whether writes to the zone will be seen at all (R1). */
export function checkZone(b: PlanBuilder): void {
  const { zone, evidence } = b.input;
  const note = zone.note ?? '';
  if (zone.state === 'active' && note !== '') b.note('info', note);
  if (zone.state === 'pending' || (zone.state !== 'active' && note !== '')) {
    b.conflict({
      code: 'E_ZONE_NOT_ACTIVE',
      role: 'zone',
      what: `The zone ${zone.name} is not active at the DNS provider: what is written there would not be seen.`,
      evidence: [note === '' ? `state: ${zone.state}` : note],
      fix: [
        `Set the name servers of ${zone.name} at the registrar to: ${zone.nameServers.join(', ') || "the provider's"}`,
      ],
    });
    return;
  }
  const known = [zone.nameServers, zone.customNameServers ?? []].filter((servers) => servers.length > 0);
  if (evidence?.delegation === undefined || known.length === 0) return;
  const parent = new Set(evidence.delegation.map(canonicalName));
  const isMissing = (server: string): boolean => !parent.has(canonicalName(server));
  if (allNameServers(zone).every(isMissing)) {
    b.conflict({
      code: 'E_ZONE_NOT_DELEGATED',
      role: 'zone',
      what: `${zone.name} is served by other name servers than this DNS provider's.`,
      evidence: [
        `delegated to: ${[...parent].join(', ') || '(none)'}`,
        `provider: ${allNameServers(zone).join(', ')}`,
      ],
      fix: ['Choose the provider that serves the zone, or change the name servers at the registrar.'],
    });
  } else if (known.every((servers) => servers.some(isMissing) || parent.size > servers.length)) {
    b.note(
      'warn',
      `The delegation of ${zone.name} (${[...parent].join(', ')}) differs from the provider's name servers (${known.map((servers) => servers.join(', ')).join('; or ')}).`,
    );
  }
}

/** Names that begin to exist hide a wildcard, with all its types (RFC 4592; R12). */
export function noteWildcards(b: PlanBuilder, plan: ZonePlan): void {
  const zone = b.input.zone.name;
  const exists = (name: string): boolean => b.live.some((record) => isWithin(record.name, name));
  const created = plan.changes.flatMap(({ op, after }) =>
    op === 'create' && after !== undefined ? [after.name] : [],
  );
  const newNames = new Set(
    created.flatMap((name) => ancestorsWithin(name, zone)).filter((name) => !exists(name)),
  );
  const hidden = new Map<string, string[]>();
  for (const name of newNames) {
    const encloser = ancestorsWithin(name, zone).find(exists);
    if (encloser === undefined || b.at(`*.${encloser}`).length === 0) continue;
    hidden.set(`*.${encloser}`, [...(hidden.get(`*.${encloser}`) ?? []), name]);
  }
  for (const [wildcard, names] of hidden) {
    const types = [...new Set(b.at(wildcard).map(({ data }) => typeOf(data)))].join(', ');
    b.note(
      'warn',
      `The wildcard ${wildcard} (${types}) answers for ${names.sort().join(', ')} today; with records of their own these names no longer show what it says.`,
    );
  }
}

/** Bytes of an answer that carries a whole TXT set, names compressed. */
function answerSize(name: string, texts: readonly string[]): number {
  const records = texts.map((text) => 12 + splitTxt(text).reduce((sum, piece) => sum + piece.length + 1, 0));
  return 12 + name.length + 2 + 4 + records.reduce((sum, size) => sum + size, 0);
}

/** TXT sets that outgrow a plain UDP answer by what we add (R10). */
export function noteSizes(b: PlanBuilder, plan: ZonePlan): void {
  const after = applyChanges(b.live, plan.changes.map(toChange));
  const names = new Set(
    plan.changes.flatMap(({ after: record }) => (record?.data.type === 'TXT' ? [record.name] : [])),
  );
  for (const name of names) {
    const texts = recordsOfSet(after, `${name} TXT`).flatMap(({ data }) =>
      data.type === 'TXT' ? [data.text] : [],
    );
    const size = answerSize(name, texts);
    if (texts.length > 1 && size > 512) {
      b.note(
        'warn',
        `The TXT records of ${name} together make an answer of ${size} bytes; above 512 it needs EDNS or TCP.`,
      );
    }
  }
}
