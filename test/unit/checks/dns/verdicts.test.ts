import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { DnsTarget } from '../../../../src/checks/dns/context.js';
import type { PinnedFetch, PinnedResponse } from '../../../../src/checks/pinned-fetch.js';
import { type DnsCheckInput, runDnsChecks } from '../../../../src/checks/run.js';
import { mtaStsId } from '../../../../src/dns/records/mta-sts.js';
import {
  desired,
  dkimPublicKey,
  type LabOptions,
  openDnsLab,
  stsPolicy,
  txt,
  txtLine,
} from '../../../helpers/dns-lab.js';
import { createTestCa } from '../../../helpers/test-ca.js';

/** A domain of which nothing but its name is known. */
const bare: DnsTarget = {
  domain: 'example.org',
  addresses: [],
  mail: 'unknown',
  expected: [],
  selectors: [],
};
const hosted: DnsTarget = { ...bare, host: 'mail.example.org', addresses: ['198.51.100.25'], mail: 'full' };

async function verdicts(
  id: string,
  records: readonly string[],
  more: { target?: Partial<DnsTarget>; lab?: Partial<LabOptions>; input?: Partial<DnsCheckInput> } = {},
) {
  const { deps } = openDnsLab({ records, ...more.lab });
  const target = { ...bare, ...more.target };
  const report = await runDnsChecks({ targets: [target], resolver: 'test', only: [id], ...more.input }, deps);
  return report.results.filter((finding) => finding.id === id);
}
/** `status message` of every verdict. */
async function said(...args: Parameters<typeof verdicts>): Promise<string[]> {
  return (await verdicts(...args)).map(({ status, message }) => `${status} ${message}`);
}

type Row = [
  id: string,
  what: string,
  records: readonly string[],
  expected: string | undefined,
  more?: Parameters<typeof verdicts>[2],
];

const mx = ['example.org MX 10 mail.example.org', 'mail.example.org A 198.51.100.25'];
const spf = (text: string, ...rest: string[]) => [txtLine('example.org', text), ...rest];
const dmarc = (text: string, ...rest: string[]) => [txtLine('_dmarc.example.org', text), ...rest];
const dkim = (text: string, ...rest: string[]) => [txtLine('s1._domainkey.example.org', text), ...rest];
const rsaKey = (bits: number) =>
  generateKeyPairSync('rsa', { modulusLength: bits })
    .publicKey.export({ type: 'spki', format: 'der' })
    .toString('base64');
const rawEd25519 = generateKeyPairSync('ed25519')
  .publicKey.export({ type: 'spki', format: 'der' })
  .subarray(12)
  .toString('base64');
const s1 = { target: { selectors: ['s1'] } };

const table: Row[] = [
  // Zone
  ['NS-DELEG', 'parent and zone agree', [], 'pass Delegation and zone name the same servers.'],
  [
    'NS-DELEG',
    'the zone has one more',
    ['example.org NS ns3.example.org'],
    'fail The delegation and the zone’s own NS records differ.',
  ],
  [
    'NS-DELEG',
    'delegated to another provider',
    [],
    'fail The domain is delegated to other name servers',
    { target: { providerNameServers: ['ada.ns.example.net'] } },
  ],
  [
    'NS-DELEG',
    'partly elsewhere',
    [],
    'warn The delegation also names servers that the DNS provider did not give: ns2.example.org.',
    { target: { providerNameServers: ['ns1.example.org', 'ns3.example.org'] } },
  ],
  [
    'NS-DELEG',
    'where the provider says',
    [],
    'pass Delegation and zone name the same servers.',
    { target: { providerNameServers: ['ns1.example.org', 'ns2.example.org'] } },
  ],
  ['NS-COUNT', 'two', [], 'pass 2 name servers.'],
  ['NS-V6', 'two with IPv6', [], 'pass 2 name servers have IPv6.'],
  ['NEG-TTL', 'short', [], 'pass The negative TTL is short enough.'],
  ['NS-AUTH', 'all answer', [], 'pass 4 addresses asked; all answer.'],
  [
    'NS-AUTH',
    'one is lame',
    [],
    'warn ns2.example.org (198.51.100.3) does not serve the zone (lame).',
    { lab: { ns2: { intercept: () => 'lame' } } },
  ],
  [
    'NS-AUTH',
    'one refuses',
    [],
    'warn ns2.example.org (198.51.100.3) does not serve the zone (lame).',
    { lab: { ns2: { intercept: () => 5 } } },
  ],
  [
    'NS-AUTH',
    'no TCP',
    [],
    'warn ns2.example.org (198.51.100.3) does not answer over TCP',
    { lab: { ns2: { intercept: ({ tcp }) => (tcp ? 'drop' : undefined) } } },
  ],
  [
    'NS-AUTH',
    'no UDP',
    [],
    'warn ns2.example.org (198.51.100.3) does not answer over UDP.',
    { lab: { ns2: { intercept: ({ tcp }) => (tcp ? undefined : 'drop') } } },
  ],
  [
    'NS-AUTH',
    'addresses that must not be asked (A7)',
    [],
    'warn ns1.example.org cannot be asked: 198.51.100.2 is not asked: documentation address.',
    { lab: { privateNetwork: false } },
  ],
  [
    'NAME-CNAME',
    'an alias at a needed name',
    ['_dmarc.example.org CNAME dmarc.vendor.example'],
    'info _dmarc.example.org is delegated by alias',
  ],
  [
    'NAME-CNAME',
    'an alias at the domain',
    ['example.org CNAME other.example.org', 'other.example.org A 198.51.100.1'],
    'fail example.org is an alias',
  ],
  ['NAME-WILD', 'none', [], 'pass There is no wildcard.'],
  ['NAME-WILD', 'addresses', ['*.example.org A 198.51.100.1'], 'info *.example.org has A records.'],
  [
    'NAME-WILD',
    'SPF everywhere',
    ['*.example.org TXT "v=spf1 -all"'],
    'warn A wildcard TXT answers for every name',
  ],
  [
    'TXT-LOC',
    'a key at the apex',
    ['example.org TXT "v=DKIM1; p=AAAA"'],
    'fail The DKIM record stands at the domain itself',
  ],
  // Host
  [
    'HOST-A',
    'other address',
    mx,
    'warn mail.example.org has an A record that the server does not use',
    { target: { ...hosted, addresses: ['2001:db8::25'] } },
  ],
  [
    'HOST-PROXY',
    'behind the proxy',
    ['mail.example.org A 104.16.1.1'],
    'fail mail.example.org is behind Cloudflare’s proxy',
    { target: hosted },
  ],
  [
    'HOST-A',
    'behind the proxy is not also wrong',
    ['mail.example.org A 104.16.1.1'],
    undefined,
    { target: hosted },
  ],
  [
    'HOST-PROXY',
    'a made-up MX',
    ['example.org MX 10 _dc-mx.abc.example.org'],
    'fail The MX host is proxied by Cloudflare',
  ],
  [
    'HOST-PRIV',
    'documentation address on the Internet',
    mx,
    'fail mail.example.org has an address that nobody on the Internet can reach.',
    { lab: { privateNetwork: false } },
  ],
  ['HOST-PRIV', 'in a rehearsal (A6)', mx, 'info Not a public address, as expected in a private network'],
  ['PTR-EXISTS', 'none', mx, 'fail 198.51.100.25 has no reverse name (PTR)', { target: hosted }],
  [
    'PTR-EXISTS',
    'of addresses that cannot have one (A7)',
    mx,
    undefined,
    { target: hosted, lab: { privateNetwork: false } },
  ],
  [
    'PTR-FCRDNS',
    'does not lead back',
    mx,
    'fail The reverse name of 198.51.100.25 does not resolve back to it.',
    { target: hosted, lab: { world: ['25.100.51.198.in-addr.arpa PTR elsewhere.example.net'] } },
  ],
  [
    'HELO-MATCH',
    'not named twice',
    mx,
    undefined,
    { target: hosted, lab: { world: ['25.100.51.198.in-addr.arpa PTR elsewhere.example.net'] } },
  ],
  [
    'HELO-MATCH',
    'another name of the same address',
    mx,
    'fail The server says mail.example.org, but its address says vm.host.example.',
    {
      target: hosted,
      lab: { world: ['25.100.51.198.in-addr.arpa PTR vm.host.example', 'vm.host.example A 198.51.100.25'] },
    },
  ],
  [
    'PTR-GENERIC',
    'pool name',
    mx,
    'warn The reverse name of 198.51.100.25 looks like one of a pool',
    { target: hosted, lab: { world: ['25.100.51.198.in-addr.arpa PTR 198-51-100-25.net.example'] } },
  ],
  [
    'PTR-GENERIC',
    'reversed octets',
    mx,
    'warn The reverse name',
    { target: hosted, lab: { world: ['25.100.51.198.in-addr.arpa PTR 25.100.51.198.net.example'] } },
  ],
  [
    'PTR-GENERIC',
    'own name',
    mx,
    'pass The reverse name is no pool name.',
    { target: hosted, lab: { world: ['25.100.51.198.in-addr.arpa PTR mail.example.org'] } },
  ],
  [
    'PTR-MULTI',
    'two',
    mx,
    'warn 198.51.100.25 has 2 reverse names',
    {
      target: hosted,
      lab: {
        world: [
          '25.100.51.198.in-addr.arpa PTR mail.example.org',
          '25.100.51.198.in-addr.arpa PTR b.example.org',
        ],
      },
    },
  ],
  // MX
  ['MX-EXISTS', 'none', ['example.org A 93.184.216.34'], 'warn No MX record: senders fall back'],
  [
    'MX-CNAME',
    'alias',
    [
      'example.org MX 10 m.example.org',
      'm.example.org CNAME mail.example.org',
      'mail.example.org A 198.51.100.25',
    ],
    'fail The MX m.example.org is an alias',
  ],
  [
    'NAME-CNAME',
    'an MX alias is not named twice',
    [
      'example.org MX 10 m.example.org',
      'm.example.org CNAME mail.example.org',
      'mail.example.org A 198.51.100.25',
    ],
    'pass No alias is in the way.',
  ],
  ['MX-IP', 'address', ['example.org MX 10 198.51.100.25'], 'fail The MX 198.51.100.25 is an address'],
  [
    'MX-NOADDR',
    'dead host',
    ['example.org MX 10 gone.example.org'],
    'fail The MX gone.example.org has no address',
  ],
  ['MX-NULL', 'alone', ['example.org MX 0 .'], 'info The domain says that it takes no mail'],
  [
    'MX-NULL',
    'beside another',
    ['example.org MX 0 .', ...mx],
    'fail A null MX ("no mail here") stands beside real ones.',
  ],
  ['MX-V6', 'missing', mx, 'info No IPv6 address: mail.example.org.'],
  [
    'MX-DUP',
    'twice',
    ['example.org MX 20 mail.example.org', ...mx],
    'warn Named more than once: mail.example.org.',
  ],
  [
    'MX-OURS',
    'foreign first',
    [...mx, 'example.org MX 5 other.example.org'],
    'fail other.example.org gets the mail first.',
    { target: hosted },
  ],
  [
    'MX-OURS',
    'preferences are numbers',
    [...mx, 'example.org MX 9 other.example.org'],
    'fail other.example.org gets the mail first.',
    { target: hosted },
  ],
  // SPF
  [
    'SPF-SYNTAX',
    'only in the dead type 99',
    ['example.org SPF "v=spf1 -all"'],
    'fail The record has the type SPF (99), which nobody reads any more.',
  ],
  ['SPF-MISSING', 'only in the dead type 99', ['example.org SPF "v=spf1 -all"'], undefined],
  [
    'SPF-SYNTAX',
    'left-over Sender ID',
    [...spf('v=spf1 -all'), 'example.org TXT "spf2.0/pra -all"'],
    'info A record of the dead "Sender ID"',
  ],
  [
    'SPF-SYNTAX',
    'quoted',
    ['example.org TXT "\\"v=spf1 -all\\""'],
    'fail A record is meant as SPF but does not begin',
  ],
  ['SPF-MISSING', 'quoted is not named twice', ['example.org TXT "\\"v=spf1 -all\\""'], undefined],
  ['SPF-MISSING', 'parked', ['example.org MX 0 .'], 'fail No SPF record'],
  ['SPF-ALL', '+all', spf('v=spf1 +all'), 'fail "+all" lets the whole Internet send'],
  ['SPF-ALL', 'bare all', spf('v=spf1 mx all'), 'fail "all" lets the whole Internet send'],
  ['SPF-ALL', '?all', spf('v=spf1 mx ?all'), 'warn "?all" says nothing'],
  ['SPF-ALL', 'none', spf('v=spf1 mx'), 'warn No "all" at the end'],
  [
    'SPF-ALL',
    'redirect',
    spf('v=spf1 redirect=_spf.example.net'),
    'pass The policy is that of _spf.example.net.',
  ],
  [
    'SPF-ALL',
    'terms after it',
    spf('v=spf1 -all mx'),
    'warn Never looked at, because "all" decides first: mx',
  ],
  [
    'SPF-ALL',
    'redirect beside it',
    spf('v=spf1 redirect=_spf.example.net -all'),
    'warn Never looked at, because "all" decides first: redirect',
  ],
  ['SPF-PTR', 'used', spf('v=spf1 ptr -all'), 'warn "ptr" is slow'],
  ['SPF-WIDE', 'a /8', spf('v=spf1 ip4:10.0.0.0/8 -all'), 'warn "ip4:10.0.0.0/8" lets a huge network'],
  ['SPF-WIDE', 'twice', spf('v=spf1 mx +MX -all'), 'warn Stands twice: +MX'],
  ['SPF-MACRO', 'macro', spf('v=spf1 exists:%{i}.spf.example.net -all'), 'info Depends on sender or address'],
  [
    'SPF-MACRO',
    'exp to nowhere',
    spf('v=spf1 exp=why.example.org -all'),
    'info exp= points to a name without text',
  ],
  [
    'SPF-LOOKUPS',
    'eleven',
    spf(`v=spf1 ${Array.from({ length: 11 }, (_, index) => `exists:e${index}.example.net`).join(' ')} -all`),
    'fail Too many DNS lookups (permerror): "exists:e10.example.net" is one too many.',
  ],
  [
    'SPF-LOOKUPS',
    'eight',
    spf(`v=spf1 ${Array.from({ length: 8 }, (_, index) => `exists:e${index}.example.net`).join(' ')} -all`),
    'warn 8 of 10 lookups are used',
  ],
  [
    'SPF-LOOKUPS',
    'a failing include',
    spf('v=spf1 include:dead.example.net -all'),
    'unknown The lookup for "include:dead.example.net" failed',
    { lab: { resolver: { intercept: ({ name }) => (name === 'dead.example.net' ? 2 : undefined) } } },
  ],
  [
    'SPF-VOID',
    'three',
    spf('v=spf1 a:x.example.org a:y.example.org a:z.example.org -all'),
    'fail 3 terms find nothing',
  ],
  ['SPF-VOID', 'one', spf('v=spf1 a:x.example.org -all'), 'warn A term points to a name without addresses'],
  ['SPF-LOOP', 'loop', spf('v=spf1 include:example.org -all'), 'fail "include:example.org" leads back'],
  [
    'SPF-INCLUDE',
    'no record',
    spf('v=spf1 include:nothing.example.net -all'),
    'fail "include:nothing.example.net": nothing.example.net has no SPF record (permerror).',
  ],
  ['SPF-SIZE', 'long', spf(`v=spf1 ${'ip4:198.51.100.1 '.repeat(35)}-all`), 'warn The record does not fit'],
  ['SPF-SIZE', 'close', spf(`v=spf1 ${'ip4:198.51.100.1 '.repeat(27)}-all`), 'info The record is close'],
  [
    'SPF-PASS',
    'another server',
    spf('v=spf1 ip4:198.51.100.1 ~all', ...mx),
    'fail SPF gives softfail, not pass, for mail from 198.51.100.25.',
    { target: hosted },
  ],
  // DKIM
  ['DKIM-KEY', 'nothing guessed', [], 'info No DKIM key at the usual selectors'],
  [
    'DKIM-KEY',
    'guessed',
    [txtLine('default._domainkey.example.org', `v=DKIM1; p=${dkimPublicKey}`)],
    'pass A key was found by guessing its selector.',
  ],
  ['DKIM-KEY', 'a given selector without key', [], 'fail The DKIM key s1 is not published', s1],
  [
    'DKIM-KEY',
    'something else there',
    ['s1._domainkey.example.org TXT "hello"'],
    'fail What stands at s1._domainkey.example.org is not a DKIM key.',
    s1,
  ],
  ['DKIM-SIZE', '1024', dkim(`v=DKIM1; p=${rsaKey(1024)}`), 'warn The key is short.', s1],
  ['DKIM-SIZE', '3072', dkim(`v=DKIM1; p=${rsaKey(3072)}`), 'info Longer than receivers need', s1],
  ['DKIM-SIZE', '2048', dkim(`v=DKIM1; p=${dkimPublicKey}`), 'pass The key has the usual size.', s1],
  ['DKIM-TEST', 't=y', dkim(`v=DKIM1; t=y; p=${dkimPublicKey}`), 'warn t=y tells receivers', s1],
  [
    'DKIM-STRICT',
    's=tlsrpt',
    dkim(`v=DKIM1; s=tlsrpt; p=${dkimPublicKey}`),
    'warn s=tlsrpt excludes mail.',
    s1,
  ],
  ['DKIM-STRICT', 'h=sha1', dkim(`v=DKIM1; h=sha1; p=${dkimPublicKey}`), 'warn h=sha1 excludes SHA-256', s1],
  ['DKIM-STRICT', 't=s', dkim(`v=DKIM1; t=s; p=${dkimPublicKey}`), 'info t=s', s1],
  ['DKIM-ED25519', 'alone', dkim(`v=DKIM1; k=ed25519; p=${rawEd25519}`), 'warn Only an Ed25519 key', s1],
  [
    'DKIM-ED25519',
    'wrong length',
    dkim('v=DKIM1; k=ed25519; p=AAAA'),
    'fail an ed25519 key has 32 bytes',
    s1,
  ],
  ['DKIM-NX', 'nothing at all', [], 'warn Nothing stands below _domainkey'],
  ['DKIM-NX', 'exists', dkim(`v=DKIM1; p=${dkimPublicKey}`), 'pass The name exists.', s1],
  [
    'DKIM-NX',
    'denied although keys stand below',
    dkim(`v=DKIM1; p=${dkimPublicKey}`),
    'warn The name servers deny that _domainkey exists',
    { ...s1, lab: { ns1: { intercept: ({ name }) => (name === '_domainkey.example.org' ? 3 : undefined) } } },
  ],
  // DMARC
  ['DMARC-ONE', 'none', [], 'fail The domain has no DMARC record.'],
  [
    'DMARC-ONE',
    'a stray beside it',
    dmarc('v=DMARC1; p=none', '_dmarc.example.org TXT "hello"'),
    'warn Other TXT records stand beside',
  ],
  [
    'DMARC-ONE',
    'the parent’s applies',
    [],
    'pass The record of org applies',
    { lab: { parent: ['_dmarc.org TXT "v=DMARC1; p=reject; psd=y"'] } },
  ],
  ['DMARC-SYNTAX', 'unknown tag', dmarc('v=DMARC1; p=none; foo=1'), 'info unknown tag "foo" is ignored.'],
  ['DMARC-P', 'none', dmarc('v=DMARC1; p=none'), 'warn p=none only watches'],
  [
    'DMARC-P',
    'none, new',
    dmarc('v=DMARC1; p=none'),
    'info p=none only watches',
    { target: { dmarcSince: Date.UTC(2026, 10, 1) } },
  ],
  [
    'DMARC-P',
    'none, old',
    dmarc('v=DMARC1; p=none'),
    'warn p=none only watches',
    { target: { dmarcSince: Date.UTC(2026, 8, 1) } },
  ],
  [
    'DMARC-P',
    'testing',
    dmarc('v=DMARC1; p=reject; t=y'),
    'warn t=y: the policy is only tested and counts as p=quarantine.',
  ],
  [
    'DMARC-P',
    'missing p with reports',
    dmarc('v=DMARC1; rua=mailto:a@example.org'),
    'warn The policy is missing or invalid',
  ],
  ['DMARC-P', 'missing p without reports', dmarc('v=DMARC1'), 'fail The record has no valid p='],
  ['DMARC-SUB', 'weaker sp', dmarc('v=DMARC1; p=reject; sp=none'), 'warn Weaker than p=reject: sp=none.'],
  [
    'DMARC-SUB',
    'weaker np',
    dmarc('v=DMARC1; p=reject; np=quarantine'),
    'warn Weaker than p=reject: np=quarantine.',
  ],
  ['DMARC-OLD', 'pct', dmarc('v=DMARC1; p=reject; pct=50'), 'info Removed from the standard in 2026: pct.'],
  ['DMARC-RUA', 'none', dmarc('v=DMARC1; p=reject'), 'warn No rua=: nobody reports'],
  [
    'DMARC-RUA',
    'bad URI',
    dmarc('v=DMARC1; p=reject; rua=dmarc@example.org'),
    'warn rua: "dmarc@example.org" lacks mailto:',
  ],
  [
    'DMARC-RUA',
    'three',
    dmarc('v=DMARC1; p=reject; rua=mailto:a@example.org,mailto:b@example.org,mailto:c@example.org'),
    'warn 3 destinations',
  ],
  [
    'DMARC-RUA',
    'dead destination',
    dmarc('v=DMARC1; p=reject; rua=mailto:a@nomail.example'),
    'warn Reports to nomail.example cannot be delivered',
  ],
  [
    'DMARC-EXT',
    'no consent',
    dmarc('v=DMARC1; p=reject; rua=mailto:a@reports.example'),
    'warn reports.example does not say that it accepts',
  ],
  [
    'DMARC-EXT',
    'consent',
    dmarc('v=DMARC1; p=reject; rua=mailto:a@reports.example'),
    'pass reports.example agrees',
    { lab: { world: ['example.org._report._dmarc.reports.example TXT "v=DMARC1;"'] } },
  ],
  ['DMARC-EXT', 'own subdomain', dmarc('v=DMARC1; p=reject; rua=mailto:a@sub.example.org'), undefined],
  [
    'DMARC-ALIGN',
    'SPF',
    dmarc('v=DMARC1; p=reject', txtLine('example.org', 'v=spf1 mx -all')),
    'pass Mail of the domain can align.',
  ],
  ['DMARC-ALIGN', 'nothing', dmarc('v=DMARC1; p=reject'), 'fail Neither SPF nor DKIM can align', s1],
  ['DMARC-ALIGN', 'parked', dmarc('v=DMARC1; p=reject', txtLine('example.org', 'v=spf1 -all')), undefined],
  [
    'BIMI',
    'good',
    dmarc('v=DMARC1; p=reject', 'default._bimi.example.org TXT "v=BIMI1; l=https://example.org/logo.svg"'),
    'pass The record is well formed.',
  ],
  [
    'BIMI',
    'http',
    dmarc('v=DMARC1; p=reject', 'default._bimi.example.org TXT "v=BIMI1; l=http://example.org/logo.svg"'),
    'info Logo and certificate must be https addresses',
  ],
  [
    'BIMI',
    'weak DMARC',
    dmarc('v=DMARC1; p=none', 'default._bimi.example.org TXT "v=BIMI1; l=https://example.org/logo.svg"'),
    'info Logos are shown only',
  ],
  ['BIMI', 'none', [], undefined],
  // Policies
  ['STS-TXT', 'none', [], 'info No MTA-STS'],
  [
    'STS-TXT',
    'lower case',
    ['_mta-sts.example.org TXT "v=stsv1; id=a"'],
    'fail The record does not begin with "v=STSv1;"',
  ],
  ['TLSRPT', 'none', [], 'info No TLS-RPT'],
  [
    'TLSRPT',
    'two',
    [
      '_smtp._tls.example.org TXT "v=TLSRPTv1; rua=mailto:a@b.example"',
      '_smtp._tls.example.org TXT "v=TLSRPTv1; rua=mailto:c@b.example"',
    ],
    'warn Several TLS-RPT records',
  ],
  [
    'TLSRPT',
    'no scheme',
    ['_smtp._tls.example.org TXT "v=TLSRPTv1; rua=a@b.example"'],
    'warn "a@b.example" lacks mailto:',
  ],
  ['CAA', 'none', mx, 'pass No CAA records', { target: { ...hosted, issuer: 'letsencrypt.org' } }],
  [
    'CAA',
    'for others, above',
    [...mx, 'example.org CAA 0 issue "other.example"'],
    'fail letsencrypt.org may not issue for mail.example.org',
    { target: { ...hosted, issuer: 'letsencrypt.org' } },
  ],
  [
    'CAA',
    'the deepest set counts',
    [...mx, 'example.org CAA 0 issue "other.example"', 'mail.example.org CAA 0 issue "letsencrypt.org"'],
    'pass letsencrypt.org may issue',
    { target: { ...hosted, issuer: 'letsencrypt.org' } },
  ],
  [
    'CAA',
    'a failing lookup is unknown',
    mx,
    'unknown The lookup failed',
    {
      target: { ...hosted, issuer: 'letsencrypt.org' },
      lab: {
        ns1: { intercept: ({ type }) => (type === 'CAA' ? 2 : undefined) },
        ns2: { intercept: ({ type }) => (type === 'CAA' ? 2 : undefined) },
      },
    },
  ],
  [
    'SRV',
    'alias',
    [
      '_imaps._tcp.example.org SRV 0 1 993 imap.example.org',
      'imap.example.org CNAME mail.example.org',
      'mail.example.org A 198.51.100.25',
    ],
    'warn The SRV target imap.example.org is an alias.',
  ],
  [
    'SRV',
    'odd port',
    ['_imaps._tcp.example.org SRV 0 1 9993 mail.example.org', 'mail.example.org A 198.51.100.25'],
    'info Port 9993 is unusual',
  ],
  ['SRV', 'not offered', ['_imaps._tcp.example.org SRV 0 0 0 .'], 'pass The record is in order.'],
  // DANE and DNSSEC
  [
    'DANE-UNSIGNED',
    'unsigned',
    [...mx, '_25._tcp.mail.example.org TLSA 3 1 1 00ff'],
    'warn The zone is not signed',
  ],
  [
    'DANE-UNSIGNED',
    'validated',
    [...mx, '_25._tcp.mail.example.org TLSA 3 1 1 00ff'],
    'pass Validated.',
    { lab: { resolver: { ad: true } } },
  ],
  [
    'DANE-USAGE',
    'PKIX',
    [...mx, '_25._tcp.mail.example.org TLSA 1 1 1 00ff'],
    'warn Usage 1 is not for mail',
  ],
  [
    'DANE-USAGE',
    'whole certificate',
    [...mx, '_25._tcp.mail.example.org TLSA 3 0 1 00ff'],
    'warn "3 0 1" names the whole certificate',
  ],
  [
    'DANE-USAGE',
    'no next key',
    [...mx, '_25._tcp.mail.example.org TLSA 3 1 1 00ff'],
    'info Only one TLSA record',
  ],
  [
    'DANE-DOE',
    'SERVFAIL',
    mx,
    'fail Questions for TLSA at mail.example.org fail',
    { lab: { resolver: { intercept: ({ type }) => (type === 'TLSA' ? 2 : undefined) } } },
  ],
  [
    'DANE-DOE',
    'everything fails',
    mx,
    'unknown The lookup failed',
    {
      lab: {
        resolver: {
          intercept: ({ name, type }) => (type === 'TLSA' || name === 'mail.example.org' ? 2 : undefined),
        },
      },
    },
  ],
  ['DNSSEC', 'unsigned', [], 'info The zone is not signed'],
  [
    'DNSSEC',
    'bogus',
    [],
    'fail The zone is bogus',
    { lab: { resolver: { intercept: ({ name, cd }) => (name === 'example.org' && !cd ? 2 : undefined) } } },
  ],
  [
    'DNSSEC',
    'no key fits',
    ['example.org DNSKEY 257 13 AAAA'],
    'fail No DS record at the parent fits',
    { lab: { parent: ['example.org DS 1 13 2 00'] } },
  ],
];

describe('verdicts', () => {
  it.each(table)('%s: %s', async (id, _, records, expected, more) => {
    const found = await said(id, records, more);
    if (expected === undefined) expect(found).toEqual([]);
    else
      expect(found.find((one) => one.startsWith(expected)) ?? found).toEqual(
        expect.stringContaining(expected),
      );
  });
});

describe('MTA-STS policy', () => {
  const records = [...mx, '_mta-sts.example.org TXT "v=STSv1; id=a1"', 'mta-sts.example.org A 198.51.100.25'];
  const served =
    (body: string, more: Partial<Extract<PinnedResponse, { ok: true }>> = {}): PinnedFetch =>
    async () => ({
      ok: true,
      status: 200,
      contentType: 'text/plain',
      body,
      tooLong: false,
      ...more,
    });
  const failing =
    (reason: 'certificate' | 'refused' | 'timeout' | 'network'): PinnedFetch =>
    async () => ({ ok: false, reason, detail: 'why' });
  const policy = (mode: string, host = 'mail.example.org', age = 604800) =>
    `version: STSv1\nmode: ${mode}\nmx: ${host}\nmax_age: ${age}\n`;
  const run = (id: string, fetch: PinnedFetch, lab: Partial<LabOptions> = {}) =>
    said(id, records, { lab: { ...lab, deps: { fetch } } });
  it.each([
    ['good', served(stsPolicy), 'pass The policy is served and enforced.'],
    ['testing', served(policy('testing')), 'info The policy is in mode "testing"'],
    ['short', served(policy('enforce', 'mail.example.org', 3600)), 'warn max_age is so short'],
    ['as HTML', served(stsPolicy, { contentType: 'text/html' }), 'warn The policy is served as text/html'],
    ['redirected', served('', { status: 301 }), 'fail The policy is redirected'],
    ['missing', served('', { status: 404 }), 'fail The policy is not served.'],
    ['endless', served('x', { tooLong: true }), 'fail The policy is longer than'],
    ['nonsense', served('<html>'), 'fail The policy is not valid'],
    ['bad certificate', failing('certificate'), 'fail The certificate of the policy host is not valid'],
    ['refused', failing('refused'), 'fail The policy host refuses'],
    ['silent', failing('timeout'), 'unknown The policy could not be fetched'],
    ['no network', failing('network'), 'unknown The policy could not be fetched'],
  ])('%s', async (_, fetch, expected) => {
    const found = await run('STS-POLICY', fetch);
    expect(found[0]).toContain(expected);
  });
  it.each([
    ['listed', policy('enforce'), 'pass Every MX host is listed.'],
    ['by wildcard', policy('enforce', '*.example.org'), 'pass Every MX host is listed.'],
    [
      'missing, enforced',
      policy('enforce', 'other.example.org'),
      'fail mail.example.org is not in the policy: senders refuse',
    ],
    [
      'missing, testing',
      policy('testing', 'other.example.org'),
      'warn mail.example.org is not in the policy',
    ],
  ])('MX host %s', async (_, body, expected) => {
    expect((await run('STS-MX', served(body)))[0]).toContain(expected);
  });
  const idOf = (text: string) => `v=STSv1; id=${mtaStsId(text)}`;
  const changed = policy('testing');
  it.each([
    ['of the policy that is served', stsPolicy, served(stsPolicy), 'pass The id is that of the policy'],
    [
      'with other ends of lines',
      stsPolicy,
      served(stsPolicy.replace(/\n/g, '\r\n')),
      'pass The id is that of',
    ],
    ['left behind by the policy', stsPolicy, served(changed), 'warn The policy that is served is not'],
    [
      'older than plan and policy',
      changed,
      served(stsPolicy),
      'warn The id is not that of the planned policy',
    ],
    ['ahead of the plan, with its policy', changed, served(changed), 'pass The id is that of the policy'],
    ['of a policy that cannot be seen', stsPolicy, failing('timeout'), 'unknown The id is the planned one'],
    ['of nothing, and nothing seen', changed, failing('timeout'), 'warn The id is not that of the planned'],
    ['of a policy that is gone', stsPolicy, served('', { status: 404 }), undefined],
  ])('the id %s', async (_, live, fetch, expected) => {
    const planned = desired('mta-sts', '_mta-sts.example.org', txt(idOf(stsPolicy)), 'tail');
    const zone = [...mx, txtLine('_mta-sts.example.org', idOf(live)), 'mta-sts.example.org A 198.51.100.25'];
    const target = { ...hosted, expected: [planned] };
    const [found] = await said('STS-ID', zone, { target, lab: { deps: { fetch } } });
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(expected);
  });
  it('is fetched from the address that DNS gave, under its name', async () => {
    const requests: { host: string; addresses: readonly string[] }[] = [];
    await run('STS-POLICY', async ({ url, addresses }) => {
      requests.push({ host: url.href, addresses });
      return { ok: false, reason: 'network', detail: '' };
    });
    expect(requests).toEqual([
      { host: 'https://mta-sts.example.org/.well-known/mta-sts.txt', addresses: ['198.51.100.25'] },
    ]);
  });
  it('is not fetched from an address that is not public (A7)', async () => {
    let asked = false;
    const found = await run(
      'STS-POLICY',
      async () => {
        asked = true;
        return { ok: false, reason: 'network', detail: '' };
      },
      { privateNetwork: false },
    );
    expect(asked).toBe(false);
    expect(found[0]).toContain('unknown The policy host has no public address');
    // A configuration that calls its network private does not open it: strangers write that, and CI runs it.
    await said('STS-POLICY', records, {
      lab: {
        privateNetwork: true,
        deps: {
          connectPrivate: false,
          fetch: async () => {
            asked = true;
            return { ok: false, reason: 'network', detail: '' };
          },
        },
      },
    });
    expect(asked).toBe(false);
  });
});

describe('BIMI', () => {
  const svg = (root: string, inner = '<title>Logo</title>') => `<svg ${root}>${inner}</svg>`;
  const good = svg('version="1.2" baseProfile="tiny-ps" viewBox="0 0 1 1"');
  const served =
    (body: string, more: Partial<Extract<PinnedResponse, { ok: true }>> = {}): PinnedFetch =>
    async () => ({ ok: true, status: 200, contentType: 'image/svg+xml', body, tooLong: false, ...more });
  const zone = (record: string) => [
    ...dmarc('v=DMARC1; p=reject'),
    txtLine('default._bimi.example.org', record),
    'img.example.org A 198.51.100.25',
  ];
  const logo = 'v=BIMI1; l=https://img.example.org/logo.svg';
  it.each([
    ['good', served(good), 'pass The record is well formed.'],
    ['another profile', served(svg('version="1.1"')), 'info The SVG does not say baseProfile="tiny-ps".'],
    ['a script', served(good.replace('<title', '<script/><title')), 'info The SVG holds scripts'],
    ['without a title', served(svg('baseProfile="tiny-ps"', '')), 'info The SVG has no title.'],
    ['no picture at all', served('<html>'), 'info What is served is no SVG.'],
    ['huge', served(good, { tooLong: true }), 'info It is larger than receivers take.'],
    ['gone', served('', { status: 404 }), 'info It is not served: HTTP 404.'],
    ['silent', async () => ({ ok: false, reason: 'timeout', detail: '' }), 'unknown It could not be fetched'],
  ] as [string, PinnedFetch, string][])('the logo is %s', async (_, fetch, expected) => {
    const [found] = await said('BIMI', zone(logo), { lab: { deps: { fetch } } });
    expect(found).toContain(expected);
  });

  it('looks at the life of the mark certificate', async () => {
    const ca = createTestCa();
    const { cert } = ca.issue('mark.example.org');
    ca.close();
    const mark = `${logo}; a=https://img.example.org/vmc.pem`;
    const fetch: PinnedFetch = async (request) =>
      served(request.url.pathname.endsWith('.pem') ? cert : good)(request);
    const later = Date.now() + 100 * 365 * 86_400_000;
    const [expired] = await said('BIMI', zone(mark), { lab: { deps: { fetch, now: () => later } } });
    expect(expired).toContain('info The mark certificate (a=) has expired.');
  });
});

describe('a domain that hides its mistakes', () => {
  it('is reported without control characters deciding anything', async () => {
    const found = await verdicts('SPF-MISSING', [txtLine('example.org', 'v=spf1 \u001b[2J -all')]);
    expect(found).toMatchObject([{ status: 'pass' }]);
    expect(await said('SPF-SYNTAX', [txtLine('example.org', 'v=spf1 \u001b[2J -all')])).toEqual([
      expect.stringContaining('U+001B'),
    ]);
  });
});
