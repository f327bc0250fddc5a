import { describe, expect, it } from 'vitest';
import type { LiveRecord } from '../../../src/dns/record.js';
import { desiredRecords } from '../../../src/dns/records/index.js';
import { findLeftOut } from '../../../src/pipeline/left-out.js';
import {
  afterPlan,
  caps,
  domain,
  domainName,
  host,
  live,
  type PlanOptions,
  plan,
  txt,
} from '../dns/zone-fixture.js';

const features = {
  caa: { issuer: 'letsencrypt.org' },
  srv: { submissions: true, submission: false, imaps: true },
  tlsRpt: { rua: ['postmaster@example.org'] },
};
const input = { hosts: [host], domains: [{ ...domain, features }] };

function leftOut(records: readonly LiveRecord[], options: PlanOptions = {}): string[] {
  const done = plan(records, { domain: { features }, ...options });
  expect(done.conflicts).toEqual([]);
  return findLeftOut(desiredRecords(input), [{ live: records, plan: done }]);
}

describe('what the merge leaves out, and check dns must not ask for', () => {
  it('is nothing in an empty zone, and in one where everything stands', () => {
    expect(leftOut([])).toEqual([]);
    const done = plan([], { domain: { features } });
    expect(leftOut(afterPlan([], done))).toEqual([]);
  });

  it('is what somebody else has at the name', () => {
    const theirs = [
      live(`_imaps._tcp.${domainName}`, {
        type: 'SRV',
        priority: 0,
        weight: 1,
        port: 993,
        target: 'imap.example.net',
      }),
      txt(`_smtp._tls.${domainName}`, 'v=TLSRPTv1; rua=mailto:tls@example.net'),
    ];
    expect(leftOut(theirs)).toEqual([`srv _imaps._tcp.${domainName}`, `tls-rpt _smtp._tls.${domainName}`]);
  });

  it('is a DMARC record that an alias gives to a vendor', () => {
    const alias = live(`_dmarc.${domainName}`, { type: 'CNAME', target: 'dmarc.vendor.example' });
    expect(leftOut([alias])).toEqual([`dmarc _dmarc.${domainName}`]);
  });

  it('is what the provider has no records for', () => {
    const types = new Set([...caps.types].filter((type) => type !== 'SRV'));
    const found = leftOut([], { caps: { ...caps, types } });
    expect(found.length).toBeGreaterThan(2);
    expect(found.every((key) => key.startsWith('srv '))).toBe(true);
  });

  it('is nothing of a zone that was not looked at', () => {
    expect(findLeftOut(desiredRecords(input), [])).toEqual([]);
  });
});
