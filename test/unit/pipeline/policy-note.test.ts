import { expect, it } from 'vitest';
import { domainSchema } from '../../../src/config/schema.js';
import { policyNote } from '../../../src/pipeline/domain.js';

const known = domainSchema.parse({ dns: 'cloudflare', mtaSts: { mode: 'enforce', maxAge: 864_000 } });
const noteOf = (mode: 'testing' | 'enforce' | 'none') =>
  policyNote(
    { domains: { 'example.org': { dkim: [], mtaSts: { mode, since: '2026-11-01' } } } },
    known,
    'example.org',
  );

it('says how long senders remember a policy that is enforced, and of no other one', () => {
  expect(noteOf('enforce').join()).toContain('up to 10 days');
  expect([...noteOf('testing'), ...noteOf('none')]).toEqual([]);
});
