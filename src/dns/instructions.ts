import { sanitizeText } from '../lib/sanitize.js';
import { formatRecord } from './canonical.js';
import type { Change, Zone } from './providers/provider.js';
import type { DnsRecord } from './record.js';
import { type PasteRow, renderPasteForm, renderZoneFile, toPasteRows } from './zone-file.js';

/** What to do at the provider's own panel, for scripts. */
export interface InstructionRows {
  remove: readonly PasteRow[];
  enter: readonly PasteRow[];
}

/** Longest line that is shown: a TXT record of 4,096 bits fits. */
const longest = 5000;

/** What to do at the provider's own panel: what to remove, then what to enter, for web forms and as a zone file. */
export function renderInstructions(
  zone: Pick<Zone, 'name' | 'nameServers'>,
  changes: readonly Change[],
): string[] {
  const { remove, enter } = split(changes);
  const at = zone.nameServers.length > 0 ? ` (served by ${zone.nameServers.join(', ')})` : '';
  const lines = [
    `Records of ${zone.name}, to be entered at your DNS provider${at}`,
    ...(remove.length > 0 ? ['', 'Remove:', ...remove.map((record) => `  ${formatRecord(record)}`)] : []),
    ...(enter.length > 0
      ? [
          '',
          'Enter, in a form (TXT as one string, without quotes):',
          ...renderPasteForm(zone.name, enter).trimEnd().split('\n'),
          '',
          'The same as a zone file, for an import:',
          ...renderZoneFile(zone.name, enter).trimEnd().split('\n'),
        ]
      : []),
  ];
  return lines.map((line) => sanitizeText(line, longest));
}

export function toInstructionRows(zone: string, changes: readonly Change[]): InstructionRows {
  const { remove, enter } = split(changes);
  return { remove: toPasteRows(zone, remove), enter: toPasteRows(zone, enter) };
}

function split(changes: readonly Change[]): { remove: DnsRecord[]; enter: DnsRecord[] } {
  return {
    remove: changes.flatMap((change) => (change.op === 'create' ? [] : [change.before])),
    enter: changes.flatMap((change) => (change.op === 'delete' ? [] : [change.after])),
  };
}
