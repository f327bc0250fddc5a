import { formatRecord } from '../canonical.js';
import { parseDkimKey } from '../dkim-key.js';
import type { DesiredRecord } from '../record.js';
import type { PlanBuilder } from './builder.js';

/** The same public key, whatever the encoding and the other tags; a revoked one is like no other. */
export function isSameDkimKey(a: string, b: string): boolean {
  const [left, right] = [parseDkimKey(a), parseDkimKey(b)];
  if (left.publicKey === '' || right.publicKey === '') return false;
  return left.publicKey === right.publicKey || (left.spki !== undefined && left.spki === right.spki);
}

/** One TXT per selector; the same name with another key means a new selector, never a replacement (R9). */
export function mergeDkim(b: PlanBuilder, desired: DesiredRecord): void {
  const existing = b.set(desired.name, 'TXT');
  if (existing.length === 0) {
    b.create(desired);
    return;
  }
  const wanted = desired.data.type === 'TXT' ? desired.data.text : '';
  const only = existing.length === 1 ? existing[0] : undefined;
  if (desired.pending === undefined && only?.data.type === 'TXT' && isSameDkimKey(only.data.text, wanted)) {
    b.keep('dkim', existing, 'The key is published.');
    return;
  }
  // Our own record that was spoilt: the server still signs with the key that belongs there.
  if (desired.pending === undefined && only !== undefined && b.isOurs(only)) {
    b.update(
      only,
      { name: only.name, ttl: only.ttl, data: desired.data },
      {
        role: 'dkim',
        stage: desired.stage,
        reason: 'It no longer holds the key that this server signs with.',
      },
    );
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
