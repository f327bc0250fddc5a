import { clip } from './tag-list.js';

/** Value of `issue` and `issuewild` (RFC 8659 4.2). An empty issuer forbids everybody. */
export interface CaaIssuer {
  issuer: string;
  parameters: ReadonlyMap<string, string>;
}

export function parseCaaIssuer(value: string): CaaIssuer | { problem: string } {
  const [issuer = '', ...parts] = value.split(';').map((part) => part.trim());
  if (issuer !== '' && !/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(issuer))
    return { problem: `"${clip(issuer)}" is not the domain of a CA` };
  const parameters = new Map<string, string>();
  for (const part of parts) {
    if (part === '') continue;
    const parameter = /^([A-Za-z0-9-]+)[ \t]*=[ \t]*([!-:<-~]*)$/.exec(part);
    if (!parameter) return { problem: `"${clip(part)}" is not "name=value"` };
    parameters.set((parameter[1] ?? '').toLowerCase(), parameter[2] ?? '');
  }
  return { issuer: issuer.toLowerCase(), parameters };
}

export interface CaaRecord {
  flags: number;
  tag: string;
  value: string;
}

export interface CaaVerdict {
  allowed: boolean;
  /** Why not, or with what condition. */
  reasons: readonly string[];
}

const knownTags = new Set([
  'issue',
  'issuewild',
  'iodef',
  'contactemail',
  'contactphone',
  'issuemail',
  'issuevmc',
]);

/**
 * Whether a CA may issue for a name that is no wildcard, by the relevant set (RFC 8659 4; already climbed to).
 * A record that cannot be parsed allows nobody; an unknown critical tag forbids all.
 */
export function caaAllows(records: readonly CaaRecord[], issuer: string): CaaVerdict {
  const critical = records.find((record) => (record.flags & 0x80) !== 0 && !knownTags.has(record.tag));
  if (critical)
    return { allowed: false, reasons: [`the critical tag "${clip(critical.tag)}" is unknown to CAs`] };
  const issue = records.filter((record) => record.tag === 'issue');
  if (issue.length === 0) return { allowed: true, reasons: [] };
  const reasons: string[] = [];
  for (const record of issue) {
    const parsed = parseCaaIssuer(record.value);
    if ('problem' in parsed) {
      reasons.push(parsed.problem);
      continue;
    }
    if (parsed.issuer !== issuer) {
      reasons.push(parsed.issuer === '' ? 'one record forbids every CA' : `${parsed.issuer} is allowed`);
      continue;
    }
    const account = parsed.parameters.get('accounturi');
    const conditions = account === undefined ? [] : [`only for the account ${clip(account, 80)}`];
    return { allowed: true, reasons: conditions };
  }
  return { allowed: false, reasons };
}
