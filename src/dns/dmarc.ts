import { parseReportUri, type ReportUri } from './parse/report-uri.js';
import { clip, parseTagList, type Tag, tagValue } from './parse/tag-list.js';

export type DmarcPolicy = 'none' | 'quarantine' | 'reject';

export interface DmarcProblem {
  tag: string;
  message: string;
  /** `removed` tags and `unknown` ones change nothing for readers of RFC 9989. */
  kind: 'syntax' | 'removed' | 'unknown' | 'uri';
}

export interface DmarcRecord {
  text: string;
  tags: readonly Tag[];
  /** As written and valid. */
  p?: DmarcPolicy;
  sp?: DmarcPolicy;
  np?: DmarcPolicy;
  adkim: 'r' | 's';
  aspf: 'r' | 's';
  /** `t=y`: the policy is only tested and counts one step lower. */
  testing: boolean;
  psd: 'y' | 'n' | 'u';
  rua: readonly ReportUri[];
  ruf: readonly ReportUri[];
  problems: readonly DmarcProblem[];
  /**
   * What receivers do with it (RFC 9989 4.10.1): `policy` as written; `none` because p is missing or p, sp or np
   * is invalid but reports can be sent; `ignored`: no DMARC at all.
   */
  effect: 'policy' | 'none' | 'ignored';
}

/** Whether a TXT value is a DMARC record; `v` comes first and its value is case-sensitive (RFC 9989 4.7). */
export function isDmarcRecord(text: string): boolean {
  return /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/i.test(text) && /^.[ \t]*=[ \t]*DMARC1/.test(text);
}

const known = new Set(['v', 'p', 'sp', 'np', 'adkim', 'aspf', 't', 'psd', 'fo', 'rua', 'ruf']);
/** RFC 9989 appendix C; old receivers may still obey them. */
const removed = new Set(['pct', 'rf', 'ri']);

/** Reads a DMARC record as RFC 9989 4.8 tells receivers to: a bad value falls back to its default and is reported. */
export function parseDmarc(text: string): DmarcRecord | undefined {
  if (!isDmarcRecord(text)) return undefined;
  const list = parseTagList(text);
  const problems: DmarcProblem[] = [];
  if (!list.ok) for (const message of list.problems) problems.push({ tag: '', kind: 'syntax', message });
  const { tags } = list;
  for (const { name } of tags) {
    if (removed.has(name))
      problems.push({ tag: name, kind: 'removed', message: `"${name}" was removed in RFC 9989` });
    else if (!known.has(name))
      problems.push({ tag: name, kind: 'unknown', message: `unknown tag "${clip(name)}" is ignored` });
  }
  const choose = <T extends string>(tag: string, values: readonly T[]): T | undefined => {
    const value = tagValue(tags, tag);
    if (value === undefined) return undefined;
    const found = values.find((one) => one === value.toLowerCase());
    if (found === undefined)
      problems.push({
        tag,
        kind: 'syntax',
        message: `${tag}=${clip(value)} is not one of ${values.join(', ')}`,
      });
    return found;
  };
  const policies = ['none', 'quarantine', 'reject'] as const;
  const p = choose('p', policies);
  const sp = choose('sp', policies);
  const np = choose('np', policies);
  const adkim = choose('adkim', ['r', 's'] as const) ?? 'r';
  const aspf = choose('aspf', ['r', 's'] as const) ?? 'r';
  const testing = choose('t', ['y', 'n'] as const) === 'y';
  const psd = choose('psd', ['y', 'n', 'u'] as const) ?? 'u';
  checkFailureOptions(tags, problems);
  const rua = readUris(tags, 'rua', problems);
  const ruf = readUris(tags, 'ruf', problems);
  const usable = p !== undefined && isSound(tags, 'sp', sp) && isSound(tags, 'np', np);
  return {
    text,
    tags,
    ...(p && { p }),
    ...(sp && { sp }),
    ...(np && { np }),
    adkim,
    aspf,
    testing,
    psd,
    rua,
    ruf,
    problems,
    effect: usable ? 'policy' : rua.length > 0 ? 'none' : 'ignored',
  };
}

function isSound(tags: readonly Tag[], name: string, read: DmarcPolicy | undefined): boolean {
  return read !== undefined || tagValue(tags, name) === undefined;
}

function checkFailureOptions(tags: readonly Tag[], problems: DmarcProblem[]): void {
  const value = tagValue(tags, 'fo');
  if (value === undefined) return;
  const options = value
    .toLowerCase()
    .split(':')
    .map((option) => option.trim());
  const wrong = options.find((option) => !['0', '1', 'd', 's'].includes(option));
  const twice = new Set(options).size !== options.length || (options.includes('0') && options.includes('1'));
  if (wrong !== undefined || twice)
    problems.push({ tag: 'fo', kind: 'syntax', message: `fo=${clip(value)} is not a list of 0 or 1, d, s` });
}

function readUris(tags: readonly Tag[], tag: string, problems: DmarcProblem[]): ReportUri[] {
  const value = tagValue(tags, tag);
  if (value === undefined) return [];
  const uris: ReportUri[] = [];
  for (const part of value.split(',').slice(0, 100)) {
    const uri = parseReportUri(part);
    if ('problem' in uri) problems.push({ tag, kind: 'uri', message: `${tag}: ${uri.problem}` });
    else uris.push(uri);
  }
  return uris;
}

/** The policy that receivers apply to the domain itself: testing lowers it one step (RFC 9989 4.7, tag `t`). */
export function effectivePolicy(
  record: DmarcRecord,
  wanted: DmarcPolicy | undefined = record.p,
): DmarcPolicy {
  if (record.effect !== 'policy' || wanted === undefined) return 'none';
  if (!record.testing) return wanted;
  return wanted === 'reject' ? 'quarantine' : 'none';
}

/** Names to ask for a tree walk from `domain` (RFC 9989 4.10): itself, then its parents, eight at most. */
export function treeWalkDomains(domain: string): string[] {
  const labels = domain.split('.');
  const rest = labels.length > 8 ? labels.slice(-7) : labels.slice(1);
  const names = [domain];
  for (let from = 0; from < rest.length; from++) names.push(rest.slice(from).join('.'));
  return names;
}

/** What stands at one name of the walk. Several DMARC records at a name count as none (4.10, step 2). */
export interface WalkStep {
  domain: string;
  record?: DmarcRecord;
}

/** The organizational domain by the records found on the walk, deepest first (RFC 9989 4.10.2). */
export function organizationalDomain(steps: readonly WalkStep[]): string {
  const start = steps[0]?.domain ?? '';
  let highest: string | undefined;
  for (const { domain, record } of steps) {
    if (!record) continue;
    if (record.psd === 'n') return domain;
    if (record.psd === 'y' && domain !== start) return oneBelow(start, domain);
    highest = domain;
    if (record.psd === 'y') break;
  }
  return highest ?? start;
}

function oneBelow(start: string, parent: string): string {
  const depth = parent.split('.').length + 1;
  return start.split('.').slice(-depth).join('.');
}

/** The record that applies to mail from the walk's first domain: its own, else that of its organizational or public suffix domain. */
export function applicableRecord(steps: readonly WalkStep[]): WalkStep | undefined {
  const own = steps[0];
  if (own?.record) return own;
  const organization = organizationalDomain(steps);
  const atOrganization = steps.find((step) => step.domain === organization && step.record);
  return atOrganization ?? steps.find((step) => step.record?.psd === 'y');
}
