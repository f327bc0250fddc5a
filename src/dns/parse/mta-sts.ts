import { clip } from './tag-list.js';

export type StsRecord = { ok: true; id: string } | { ok: false; problem: string };

/** Records that do not begin with this are not MTA-STS at all (RFC 8461 3.1). */
export function isStsRecord(text: string): boolean {
  return /^v=STSv1[ \t]*(?:;|$)/.test(text);
}

/** The TXT at `_mta-sts` (RFC 8461 3.1). */
export function parseStsRecord(text: string): StsRecord {
  if (!isStsRecord(text)) return { ok: false, problem: 'does not begin with v=STSv1;' };
  const fields = text.split(';').map((part) => part.trim());
  const ids = fields.slice(1).filter((field) => field.startsWith('id='));
  const id = ids[0]?.slice(3);
  if (id === undefined) return { ok: false, problem: 'has no id=' };
  if (ids.length > 1) return { ok: false, problem: 'has two id=' };
  if (!/^[A-Za-z0-9]{1,32}$/.test(id))
    return { ok: false, problem: `id=${clip(id)} is not 1 to 32 letters and digits` };
  const odd = fields
    .slice(1, -1)
    .find((field) => !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[!-:<>-~]+$/.test(field));
  return odd === undefined ? { ok: true, id } : { ok: false, problem: `"${clip(odd)}" is not a field` };
}

export interface StsPolicy {
  mode: 'enforce' | 'testing' | 'none';
  mx: readonly string[];
  /** Seconds. */
  maxAge: number;
}

export type StsPolicyParse = { ok: true; policy: StsPolicy } | { ok: false; problems: readonly string[] };

export const mostMaxAge = 31_557_600;

/** The policy file (RFC 8461 3.2): `key: value` lines; unknown keys are ignored, of repeated ones the first counts. */
export function parseStsPolicy(text: string): StsPolicyParse {
  const problems: string[] = [];
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '') continue;
    const field = /^([A-Za-z0-9_.-]+)[ \t]*:[ \t]*(.*?)[ \t]*$/.exec(line);
    if (!field) {
      problems.push(`line "${clip(line)}" is not "key: value"`);
      continue;
    }
    const [, key = '', value = ''] = field;
    if (key === 'mx') mx.push(value.toLowerCase().replace(/\.$/, ''));
    else if (!fields.has(key)) fields.set(key, value);
  }
  if (fields.get('version') !== 'STSv1') problems.push('version is not STSv1');
  const mode = fields.get('mode');
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none')
    problems.push(
      mode === undefined ? 'mode is missing' : `mode "${clip(mode)}" is not enforce, testing or none`,
    );
  const age = fields.get('max_age');
  const maxAge = age !== undefined && /^\d{1,10}$/.test(age) ? Number(age) : undefined;
  if (maxAge === undefined) problems.push('max_age is missing or not a number');
  else if (maxAge > mostMaxAge) problems.push(`max_age ${maxAge} is more than ${mostMaxAge}`);
  for (const pattern of mx)
    if (!/^(?:\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(pattern))
      problems.push(`mx "${clip(pattern)}" is not a host name`);
  if (mode !== 'none' && mx.length === 0) problems.push('no mx is listed');
  if (problems.length > 0 || maxAge === undefined) return { ok: false, problems };
  return { ok: true, policy: { mode: mode as StsPolicy['mode'], mx, maxAge } };
}

/** Whether a pattern covers a host; `*` stands for exactly one left-most label (RFC 8461 4.1). */
export function stsMatches(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern === host;
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot + 1) === pattern.slice(2);
}
