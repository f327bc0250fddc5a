import { describe, expect, it } from 'vitest';
import { isPrivateResolver, refusePrivate, splitReachable } from '../../../../src/checks/dns/reachable.js';
import { runDnsChecks } from '../../../../src/checks/run.js';
import { openDnsLab, txtLine } from '../../../helpers/dns-lab.js';

describe('a zone made to hurt the checker', () => {
  const many = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => line(index));
  it('costs a bounded number of questions, and every check ends', async () => {
    const { deps, queries } = openDnsLab({
      records: [
        ...many(400, (index) => `example.org MX ${index} m${index}.example.org`),
        ...many(50, (index) => txtLine('example.org', `v=spf1 include:i${index}.example.org -all`)),
        ...many(100, (index) => `_imaps._tcp.example.org SRV 0 1 993 s${index}.example.org`),
        txtLine(
          '_dmarc.example.org',
          `v=DMARC1; p=none; rua=${many(80, (index) => `mailto:a@r${index}.example`).join(',')}; ruf=${many(80, (index) => `mailto:a@f${index}.example`).join(',')}`,
        ),
        txtLine('default._domainkey.example.org', `v=DKIM1; p=${'A'.repeat(4000)}`),
        ...many(60, (index) => `example.org CAA 128 t${index} "x"`),
        'loop.example.org CNAME loop.example.org',
        '_mta-sts.example.org CNAME loop.example.org',
      ],
    });
    const report = await runDnsChecks(
      {
        targets: [{ domain: 'example.org', addresses: [], mail: 'unknown', expected: [], selectors: [] }],
        resolver: 'test',
      },
      deps,
    );
    const asked = [...new Set(queries.values())].reduce((sum, list) => sum + list.length, 0);
    expect(asked).toBeLessThan(700);
    expect(report.results.filter(({ message }) => message.includes('The check itself failed'))).toEqual([]);
    for (const finding of report.results) expect((finding.observed ?? '').length).toBeLessThan(4000);
  });
});

describe('amendments A6 and A7', () => {
  it('keep private addresses from being connected to unless the network is private', () => {
    const addresses = ['93.184.216.34', '10.0.0.1', '::1', '2001:db8::1', '100.64.0.1', '169.254.169.254'];
    expect(splitReachable(addresses, false)).toEqual({
      allowed: ['93.184.216.34'],
      refused: [
        '10.0.0.1 (private)',
        '::1 (loopback)',
        '2001:db8::1 (documentation)',
        '100.64.0.1 (carrier-grade NAT)',
        '169.254.169.254 (link-local)',
      ],
    });
    expect(splitReachable(addresses, true).allowed).toEqual(addresses);
    expect(refusePrivate(false)('10.0.0.1')).toBe('private address');
    expect(refusePrivate(true)('10.0.0.1')).toBeUndefined();
  });
  it('take a resolver at such an address, and no other, as the sign of one', () => {
    expect(isPrivateResolver('198.51.100.53')).toBe(true);
    expect(isPrivateResolver('127.0.0.1')).toBe(true);
    expect(isPrivateResolver('1.1.1.1')).toBe(false);
  });
});
