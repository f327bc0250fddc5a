import { describe, expect, it } from 'vitest';
import { installIdOf, ownRoleOf, renderMark } from '../../../src/dns/mark.js';
import { planRemoval } from '../../../src/dns/plan-removal.js';
import { afterPlan, domainName, hostName, ipv4, plan } from './zone-fixture.js';

const roles = ['a', 'dkim', 'mta-sts-host', 'parked-dmarc'];
const idOf = (length: number): string =>
  installIdOf(`${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}`.slice(0, length));
/** As marks were before long ids were shortened. */
const cut = (installId: string, role: string): string => `smtp-setup/1 ${installId} ${role}`.slice(0, 100);

describe('the mark on a record', () => {
  it.each([16, 60, 74, 80, 85, 86, 87, 88, 120, 180])(
    'is known again with an id of %i characters',
    (length) => {
      const installId = idOf(length);
      for (const role of roles) {
        const mark = renderMark(installId, role);
        expect(mark.length).toBeLessThanOrEqual(100);
        expect(ownRoleOf(mark, installId)).toBe(role);
        expect(ownRoleOf(mark, idOf(length + 1))).toBeUndefined();
        expect(ownRoleOf(mark, `${installId.slice(0, -1)}x`)).toBeUndefined();
        // One that was cut says of its role only how it begins, perhaps nothing.
        const known = ownRoleOf(cut(installId, role), installId);
        expect(known).toBeDefined();
        expect(role.startsWith(known ?? '?')).toBe(true);
        expect(ownRoleOf(cut(installId, role).trimEnd(), installId)).toBe(known);
      }
    },
  );

  it('stands as it is wherever it fits', () => {
    expect(renderMark(installIdOf('mail.example.org'), 'spf')).toBe('smtp-setup/1 mail-example-org spf');
    expect(renderMark(idOf(80), 'spf')).toBe(cut(idOf(80), 'spf'));
  });

  it('is nobody else’s', () => {
    const installId = idOf(120);
    for (const mark of [undefined, '', 'a comment of Bob', cut('mail-example-org', 'spf')])
      expect(ownRoleOf(mark, installId)).toBeUndefined();
    expect(ownRoleOf('smtp-setup/1 mail-example-org ', 'mail-example-org')).toBeUndefined();
  });

  it.each(['whole', 'cut'])(
    'of a server with a long name, %s, lets its own records be mended and taken back',
    (kind) => {
      const installId = idOf(120);
      const written = afterPlan([], plan([], { installId })).map((record) =>
        kind === 'cut' && record.mark !== undefined ? { ...record, mark: cut(installId, 'role') } : record,
      );
      expect(plan(written, { installId }).changes).toEqual([]);
      const moved = plan(written, { installId, host: { ipv4: '198.51.100.99' } });
      expect(moved.conflicts).toEqual([]);
      expect(moved.changes).toMatchObject([{ op: 'update', role: 'a' }]);
      const values = { hosts: [hostName], addresses: [ipv4], texts: [] };
      const removal = { live: written, journal: [], names: [domainName], except: [], installId, values };
      const gone = planRemoval(removal).changes.map(({ before }) => before?.name);
      expect(gone).toContain(hostName);
      const kept = planRemoval({ ...removal, keepRoles: ['dkim'] });
      expect(
        [...kept.changes.map(({ before }) => before), ...kept.changed].map((record) => record?.name),
      ).not.toContain(`s202611._domainkey.${domainName}`);
    },
  );
});
