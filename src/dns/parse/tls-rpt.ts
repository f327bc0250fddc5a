import { parseReportUri, type ReportUri } from './report-uri.js';
import { parseTagList, tagValue } from './tag-list.js';

export interface TlsRptRecord {
  rua: readonly ReportUri[];
  problems: readonly string[];
}

/** Records that do not begin with this are discarded (RFC 8460 3). */
export function isTlsRptRecord(text: string): boolean {
  return /^v=TLSRPTv1[ \t]*(?:;|$)/.test(text);
}

/** The TXT at `_smtp._tls` (RFC 8460 3). */
export function parseTlsRpt(text: string): TlsRptRecord | undefined {
  if (!isTlsRptRecord(text)) return undefined;
  const list = parseTagList(text);
  const problems: string[] = list.ok ? [] : [...list.problems];
  const value = tagValue(list.tags, 'rua');
  if (value === undefined) problems.push('rua= is missing');
  const rua: ReportUri[] = [];
  for (const part of (value ?? '').split(',').slice(0, 100)) {
    if (part.trim() === '') continue;
    const uri = parseReportUri(part);
    if ('problem' in uri) problems.push(uri.problem);
    else if (uri.scheme !== 'mailto' && uri.scheme !== 'https')
      problems.push(`${uri.scheme}: is not mailto: or https:`);
    else rua.push(uri);
  }
  if (value !== undefined && rua.length === 0) problems.push('rua= names no usable destination');
  return { rua, problems };
}
