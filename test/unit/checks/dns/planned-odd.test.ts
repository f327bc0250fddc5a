import { describe, expect, it } from 'vitest';
import type { PinnedFetch } from '../../../../src/checks/pinned-fetch.js';
import { runDnsChecks } from '../../../../src/checks/run.js';
import { waitUntilVisible } from '../../../../src/dns/visible.js';
import {
  dkimPublicKey,
  healthyPlan,
  healthyTarget,
  healthyWorld,
  type LabOptions,
  lineOf,
  openDnsLab,
  stsPolicy,
  txtLine,
} from '../../../helpers/dns-lab.js';

const fetch: PinnedFetch = async () => ({
  ok: true,
  status: 200,
  contentType: 'text/plain',
  body: stsPolicy,
  tooLong: false,
});
const selector = 's202611._domainkey.example.org';
const ourKey = `v=DKIM1; k=rsa; p=${dkimPublicKey}`;
const planned = healthyPlan.map(lineOf);
const without = (...roles: string[]) => healthyPlan.filter(({ role }) => !roles.includes(role)).map(lineOf);

/** Beside what the healthy lab has to say: the zone is not signed. */
async function check(
  records: readonly string[],
  world: readonly string[] = [],
  lab: Partial<LabOptions> = {},
) {
  const { deps } = openDnsLab({ records, world: [...healthyWorld, ...world], ...lab, deps: { fetch } });
  const { results } = await runDnsChecks({ targets: [healthyTarget], resolver: 'test' }, deps);
  return results
    .filter(({ status, id }) => status !== 'pass' && status !== 'info' && id !== 'DANE-UNSIGNED')
    .map(({ id, status, message, fix }) => ({ id, status, message, fix: fix?.text }));
}

describe('a planned domain in a zone of odd shapes', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['owners in upper case', planned.map((line) => line.replace(/^\S+/, (name) => name.toUpperCase())), []],
    [
      'a key in pieces, folded with blanks',
      [
        ...without('dkim'),
        `${selector} TXT "v=DKIM1; k=rsa; " "p=${dkimPublicKey.slice(0, 100)} " " ${dkimPublicKey.slice(100, 250)}" "  ${dkimPublicKey.slice(250)}"`,
      ],
      [],
    ],
    [
      'our key behind an alias at a vendor',
      [...without('dkim'), `${selector} CNAME k.vendor.example`],
      [txtLine('k.vendor.example', ourKey)],
    ],
    ['a quoted SPF text beside the record', [...planned, 'example.org TXT "\\"v=spf1 mx -all\\""'], []],
    ['a wildcard MX', [...planned, '*.example.org MX 5 mx.other.example'], []],
  ])('has nothing to complain about: %s', async (_, records, world) => {
    expect(await check(records, world)).toEqual([]);
  });

  it('says of a host that is an alias what is wrong with that, and not that its servers are slow', async () => {
    const found = await check(
      [...without('a', 'host-spf'), 'mail.example.org CNAME srv.hoster.example'],
      ['srv.hoster.example A 198.51.100.25'],
    );
    expect(found.map(({ id }) => id)).toEqual(['MX-CNAME', 'SPF-PASS', 'SRV']);
  });

  it('does not send anybody to a name that is an alias with a record of its own', async () => {
    const [found] = await check(
      [...without('dmarc'), '_dmarc.example.org CNAME _dmarc.vendor.example'],
      ['vendor.example A 198.51.100.9'],
    );
    expect(found).toMatchObject({ id: 'DMARC-ONE', status: 'fail' });
    expect(found?.fix).toContain('Have the owner of _dmarc.vendor.example');
  });

  it('says how a foreign MX behind ours is meant, because apply leaves it', async () => {
    const [found] = await check(
      [...planned, 'example.org MX 50 mx.backup.example'],
      ['mx.backup.example A 198.51.100.88'],
    );
    expect(found).toMatchObject({ id: 'MX-OURS', status: 'fail' });
    expect(found?.fix).toMatch(/backup: in smtp-setup.yaml, or suppress MX-OURS/);
  });

  it('names a loop, wherever in the includes it is', async () => {
    const found = await check([
      ...without('spf'),
      'example.org TXT "v=spf1 redirect=_a.example.org"',
      '_a.example.org TXT "v=spf1 include:_b.example.org -all"',
      '_b.example.org TXT "v=spf1 include:_a.example.org ?all"',
    ]);
    expect(found.map(({ id }) => id)).toEqual(['SPF-LOOP', 'SPF-PASS']);
  });
});

describe('--wait', () => {
  it('sees a record behind an alias that leaves the zone', async () => {
    const { deps } = openDnsLab({
      records: [...without('dkim'), `${selector} CNAME k.vendor.example`],
      world: [txtLine('k.vendor.example', ourKey)],
    });
    const key = healthyPlan.filter(({ role }) => role === 'dkim');
    const clock = { now: () => 0, sleep: () => Promise.reject(new Error('it has to be seen at once')) };
    const result = await waitUntilVisible(key, { authoritative: deps.authoritative, clock });
    expect(result.visible).toBe(true);
  });
});
