import { formatRecord } from '../../canonical.js';
import type { DnsRecord } from '../../record.js';
import { renderPasteForm, renderZoneFile, toPasteRows } from '../../zone-file.js';
import type { Change, Zone } from '../provider.js';

export interface Instructions {
  /** For people: what to remove, what to enter, in both forms. */
  text: string;
  /** For scripts; stable. */
  json: string;
}

/** What to do at the provider's own panel. Zone-file form for imports, paste form for web forms. */
export function renderInstructions(zone: Zone, changes: readonly Change[]): Instructions {
  const removed = changes.flatMap((change) => (change.op === 'create' ? [] : [change.before]));
  const entered = changes.flatMap((change) => (change.op === 'delete' ? [] : [change.after]));
  const at = zone.nameServers.length > 0 ? ` (served by ${zone.nameServers.join(', ')})` : '';
  const parts = [
    `Records of ${zone.name}, to be entered at your DNS provider${at}`,
    ...(removed.length > 0 ? ['', 'Remove:', ...removed.map((record) => `  ${formatRecord(record)}`)] : []),
    ...(entered.length > 0
      ? [
          '',
          'Enter, in a form (TXT as one string, without quotes):',
          renderPasteForm(zone.name, entered).trimEnd(),
          '',
          'The same as a zone file, for an import:',
          renderZoneFile(zone.name, entered).trimEnd(),
        ]
      : []),
  ];
  const rows = (records: readonly DnsRecord[]) => toPasteRows(zone.name, records);
  const json = { zone: zone.name, remove: rows(removed), enter: rows(entered) };
  return { text: `${parts.join('\n')}\n`, json: `${JSON.stringify(json, undefined, 2)}\n` };
}
