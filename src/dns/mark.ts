import { createHash } from 'node:crypto';

/** Cloudflare's free plan takes no longer comment. */
const maxMark = 100;

/** What marks and plans call the installation on a server. */
export function installIdOf(hostname: string): string {
  return hostname.replace(/[^a-z0-9]+/g, '-');
}

/**
 * Our comment on a record (R22): `smtp-setup/1 <install-id> <role>`, at most 100 characters; an id too long for that is
 * shortened. A hint, not a licence: deleting needs the same value too.
 */
export function renderMark(installId: string, role: string): string {
  const whole = markOf(installId, role);
  return whole.length <= maxMark ? whole : markOf(shorten(installId), role);
}

function parseMark(mark: string | undefined): { installId: string; role: string } | undefined {
  const match = /^smtp-setup\/1 ([A-Za-z0-9-]+) ([a-z0-9-]+)$/.exec(mark ?? '');
  return match === null ? undefined : { installId: match[1] ?? '', role: match[2] ?? '' };
}

/**
 * The role in a mark of this installation; undefined when it is nobody's or another's. Marks were once cut at their
 * greatest length: of the role the beginning may be left, or nothing.
 */
export function ownRoleOf(mark: string | undefined, installId: string): string | undefined {
  const parsed = parseMark(mark);
  if (parsed !== undefined && [installId, shorten(installId)].includes(parsed.installId)) return parsed.role;
  const bare = markOf(installId, '');
  return bare.length >= maxMark && mark?.trimEnd() === bare.slice(0, maxMark).trimEnd() ? '' : undefined;
}

const markOf = (installId: string, role: string): string => `smtp-setup/1 ${installId} ${role}`;

function shorten(installId: string): string {
  return `${installId.slice(0, 30)}-${createHash('sha256').update(installId).digest('hex').slice(0, 16)}`;
}
