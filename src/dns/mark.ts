/**
 * Our comment on a record (R22): `smtp-setup/1 <install-id> <role>`, at most 100 characters (Cloudflare's free plan).
 * A hint, not a licence: deleting needs the same value too.
 */
export function renderMark(installId: string, role: string): string {
  return `smtp-setup/1 ${installId} ${role}`.slice(0, 100);
}

export function parseMark(mark: string | undefined): { installId: string; role: string } | undefined {
  const match = /^smtp-setup\/1 ([A-Za-z0-9-]+) ([a-z0-9-]+)$/.exec(mark ?? '');
  return match === null ? undefined : { installId: match[1] ?? '', role: match[2] ?? '' };
}
