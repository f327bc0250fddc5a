import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/checks/check.js';
import { recordsCheck } from '../../../src/checks/dns/records.js';
import { dnsChecks } from '../../../src/checks/index.js';
import { profileIds, profiles, weighByProfile } from '../../../src/checks/profiles.js';
import { applySuppressions, exitCodeOf, selectChecks } from '../../../src/checks/selection.js';

const finding = (id: string, status: Finding['status'], more: Partial<Finding> = {}): Finding => ({
  id,
  status,
  title: id,
  subject: 'example.org TXT',
  message: 'm',
  ...more,
});
const ids = (selection: Parameters<typeof selectChecks>[1]) =>
  selectChecks(dnsChecks, selection).map(({ id }) => id);

describe('the registry', () => {
  it('has one entry for each id, with everything a report needs', () => {
    const all = [...dnsChecks, recordsCheck];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const check of all) {
      expect(check.id).toMatch(/^[A-Z0-9]+(-[A-Z0-9]+)*$/);
      expect(check.title.length).toBeGreaterThan(5);
      expect(check.ref).not.toBe('');
      expect(['fail', 'warn', 'info']).toContain(check.severity);
    }
  });
});

describe('selectChecks', () => {
  it('takes ids, groups and prefixes, in any case', () => {
    expect(ids({ only: ['spf-all'] })).toEqual(['SPF-ALL']);
    expect(ids({ only: ['spf'] }).every((id) => id.startsWith('SPF-'))).toBe(true);
    expect(ids({ only: ['client settings'] })).toEqual(['SRV', 'AUTOCFG']);
    expect(ids({ only: ['sts'], skip: ['STS-ID', 'sts-mx'] })).toEqual(['STS-TXT', 'STS-POLICY']);
    expect(ids({})).toHaveLength(dnsChecks.length);
    expect(ids({ only: ['mx'] })).not.toContain('STS-MX');
  });
  it('refuses words that name nothing', () => {
    expect(() => ids({ only: ['sfp'] })).toThrow('There is no check or group "sfp".');
    expect(() => ids({ skip: ['nope'] })).toThrow('nope');
  });
});

describe('profiles', () => {
  it('name only checks that exist', () => {
    const known = new Set([...dnsChecks, recordsCheck].map(({ id }) => id));
    for (const id of profileIds) {
      const profile = profiles[id];
      expect(selectChecks([...dnsChecks, recordsCheck], { only: profile.only }).length).toBeGreaterThan(5);
      for (const weighed of Object.keys(profile.weigh)) expect(known.has(weighed)).toBe(true);
    }
  });
  it('weigh as the receiver does', () => {
    const none = finding('DMARC-P', 'warn');
    expect(weighByProfile(none, profiles['internet.nl']).status).toBe('fail');
    expect(weighByProfile(none, profiles.gmail).status).toBe('info');
    expect(weighByProfile(none, undefined).status).toBe('warn');
    expect(weighByProfile(finding('DMARC-P', 'pass'), profiles['internet.nl']).status).toBe('pass');
  });
});

describe('applySuppressions', () => {
  const now = Date.UTC(2026, 10, 24, 12);
  const findings = [
    finding('PTR-GENERIC', 'warn'),
    finding('SPF-ALL', 'fail', { name: 'example.org' }),
    finding('SPF-ALL', 'fail', { name: 'other.org', subject: 'other.org TXT' }),
  ];
  it('marks with reason and date, only what it names', () => {
    const [generic, own, other] = applySuppressions(
      findings,
      [{ id: 'spf-all', name: 'example.org', reason: 'legacy', until: '2026-11-24' }],
      now,
    );
    expect(generic?.suppressed).toBeUndefined();
    expect(own?.suppressed).toEqual({ reason: 'legacy', until: '2026-11-24' });
    expect(other?.suppressed).toBeUndefined();
  });
  it('ends after its last day, and says so', () => {
    const after = applySuppressions(
      findings,
      [{ id: 'PTR-GENERIC', reason: 'soon', until: '2026-11-23' }],
      now,
    );
    expect(after[0]?.suppressed).toBeUndefined();
    expect(after.at(-1)).toMatchObject({
      id: 'SUPPRESSION',
      status: 'warn',
      message: 'The suppression of PTR-GENERIC ended on 2026-11-23.',
    });
  });
  it('says nothing about an expired one whose trouble is gone, and never hides a pass', () => {
    expect(
      applySuppressions([finding('A', 'pass')], [{ id: 'A', reason: 'r', until: '2020-01-01' }], now),
    ).toEqual([finding('A', 'pass')]);
    expect(
      applySuppressions([finding('A', 'pass')], [{ id: 'A', reason: 'r' }], now)[0]?.suppressed,
    ).toBeUndefined();
  });
});

describe('exitCodeOf', () => {
  const of = (...statuses: Finding['status'][]) => statuses.map((status) => finding('X', status));
  it.each([
    [of('pass', 'info', 'warn'), {}, 0],
    [of('pass', 'fail', 'unknown'), {}, 1],
    [of('pass', 'unknown'), {}, 3],
    [of('warn'), { failOn: 'warn' }, 1],
    [of('warn', 'unknown'), { failOn: 'warn' }, 1],
    [of('info'), { failOn: 'warn' }, 0],
    [of('info'), { failOn: 'info' }, 1],
    [of('unknown'), { unknown: 'ok' }, 0],
    [of('unknown'), { unknown: 'fail' }, 1],
    [[], {}, 0],
  ] as const)('%#', (findings, rules, exit) => {
    expect(exitCodeOf(findings, rules)).toBe(exit);
  });
  it('counts no suppressed finding', () => {
    expect(exitCodeOf([finding('X', 'fail', { suppressed: { reason: 'r' } })])).toBe(0);
  });
});
