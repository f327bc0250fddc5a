/** A destination of reports (DMARC `rua`/`ruf`, TLS-RPT `rua`). */
export interface ReportUri {
  text: string;
  scheme: string;
  /** Domain that receives: of the mail address, or the web host. */
  domain: string;
  /** Obsolete `!10m` size limit of RFC 7489, which RFC 9989 tells reporters to ignore. */
  obsoleteSize?: string;
}

/** One URI of a comma-separated list, or why it is none. */
export function parseReportUri(raw: string): ReportUri | { problem: string } {
  const text = raw.trim();
  const sized = /^(.*)!(\d+[kmgt]?)$/i.exec(text);
  const uri = sized?.[1] ?? text;
  const obsolete = sized?.[2] === undefined ? {} : { obsoleteSize: sized[2] };
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined)
    return { problem: uri.includes('@') ? `"${cut(uri)}" lacks mailto:` : `"${cut(uri)}" is not a URI` };
  if (/[\s!,]/.test(uri)) return { problem: `"${cut(uri)}" holds a character that must be encoded` };
  if (scheme === 'mailto') {
    const domain = /^mailto:[^@?\s]+@([^@?\s]+)(?:\?\S*)?$/i.exec(uri)?.[1]?.toLowerCase();
    if (domain === undefined || !isDomain(domain)) return { problem: `"${cut(uri)}" is not a mail address` };
    return { text: uri, scheme, domain, ...obsolete };
  }
  const domain =
    /^[a-z0-9+.-]+:\/\/([^/?#:@\s]+)(?::\d+)?(?:[/?#]\S*)?$/i.exec(uri)?.[1]?.toLowerCase() ?? '';
  if (scheme === 'https' && !isDomain(domain)) return { problem: `"${cut(uri)}" has no valid host` };
  return { text: uri, scheme, domain, ...obsolete };
}

function isDomain(name: string): boolean {
  return (
    name.length <= 253 &&
    name.split('.').length >= 2 &&
    name.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  );
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
