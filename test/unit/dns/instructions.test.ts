import { describe, expect, it } from 'vitest';
import { renderInstructions, toInstructionRows } from '../../../src/dns/instructions.js';
import type { Change } from '../../../src/dns/providers/provider.js';
import type { DnsRecord } from '../../../src/dns/record.js';

const txt = (name: string, text: string): DnsRecord => ({ name, ttl: 300, data: { type: 'TXT', text } });
const zone = { name: 'example.test', nameServers: ['ns1.provider.test', 'ns2.provider.test'] };
const update: Change = {
  op: 'update',
  before: txt('example.test', 'old'),
  after: txt('example.test', 'new'),
};
const key = `v=DKIM1; k=rsa; p=${'A'.repeat(400)}`;

describe('what to enter by hand', () => {
  it('says where, what goes, and what comes, as a form and as a zone file', () => {
    const create: Change = { op: 'create', after: txt('s1._domainkey.example.test', key) };
    expect(renderInstructions(zone, [update, create])).toEqual([
      'Records of example.test, to be entered at your DNS provider (served by ns1.provider.test, ns2.provider.test)',
      '',
      'Remove:',
      '  example.test. 300 IN TXT "old"',
      '',
      'Enter, in a form (TXT as one string, without quotes):',
      'Name           Type  TTL  Priority  Value',
      '@              TXT   300            new',
      `s1._domainkey  TXT   300            ${key}`,
      '',
      'The same as a zone file, for an import:',
      '$ORIGIN example.test.',
      'example.test. 300 IN TXT "new"',
      `s1._domainkey.example.test. 300 IN TXT "${key.slice(0, 255)}" "${key.slice(255)}"`,
    ]);
  });

  it('leaves out the part that has nothing in it', () => {
    const gone = renderInstructions({ ...zone, nameServers: [] }, [
      { op: 'delete', before: txt('example.test', 'old') },
    ]);
    expect(gone).toEqual([
      'Records of example.test, to be entered at your DNS provider',
      '',
      'Remove:',
      '  example.test. 300 IN TXT "old"',
    ]);
    const come = renderInstructions(zone, [{ op: 'create', after: txt('example.test', 'new') }]);
    expect(come).not.toContain('Remove:');
  });

  it('gives scripts the same as data', () => {
    expect(toInstructionRows(zone.name, [update])).toEqual({
      remove: [{ name: '@', type: 'TXT', ttl: 300, value: 'old' }],
      enter: [{ name: '@', type: 'TXT', ttl: 300, value: 'new' }],
    });
  });
});
