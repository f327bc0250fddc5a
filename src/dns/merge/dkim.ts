import { formatRecord } from '../canonical.js';
import type { DesiredRecord } from '../record.js';
import type { PlanBuilder } from './builder.js';

/** The `p=` value without white space; undefined when the text has none. */
export function dkimKey(text: string): string | undefined {
  const tag = text.split(';').find((part) => /^\s*p\s*=/.test(part));
  return tag?.slice(tag.indexOf('=') + 1).replace(/\s+/g, '');
}

/** One TXT per selector; the same name with another key means a new selector, never a replacement (R9). */
export function mergeDkim(b: PlanBuilder, desired: DesiredRecord): void {
  const existing = b.set(desired.name, 'TXT');
  if (existing.length === 0) {
    b.create(desired);
    return;
  }
  const key = desired.data.type === 'TXT' ? dkimKey(desired.data.text) : undefined;
  const only = existing.length === 1 ? existing[0] : undefined;
  if (
    desired.pending === undefined &&
    only?.data.type === 'TXT' &&
    key !== '' &&
    dkimKey(only.data.text) === key
  ) {
    b.keep('dkim', existing, 'The key is published.');
    return;
  }
  b.conflict({
    code: 'E_DKIM_SELECTOR_TAKEN',
    role: 'dkim',
    what:
      existing.length > 1
        ? `${desired.name} holds ${existing.length} TXT records; verifiers may pick any (RFC 6376 section 3.6.2.2).`
        : `${desired.name} holds another key; replacing it would break signatures that are under way.`,
    evidence: existing.map(formatRecord),
    fix: ['Use a new selector; the old record stays.'],
  });
}
