import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/checks/check.js';
import { Secret } from '../../../src/config/secret.js';
import type { ZonePlan } from '../../../src/dns/zone-plan.js';
import { createIo, type IoOptions } from '../../../src/ui/io.js';
import { isEmptyPlan, type PlanView, planDocument, renderPlan } from '../../../src/ui/report/plan.js';
import { preflightDocument, renderPreflight } from '../../../src/ui/report/preflight.js';
import { renderSummary, type SummaryView, summaryDocument } from '../../../src/ui/report/summary.js';
import { captureStreams } from '../../helpers/streams.js';

const io = (options: IoOptions = {}) => createIo(captureStreams(), {}, options);
const evil = 'x\u001b]0;owned\u0007\u202e';

const zone: ZonePlan = {
  zone: { id: 'z', name: 'example.org', nameServers: [], state: 'active' },
  changes: [
    {
      id: 'a',
      stage: 'host',
      op: 'create',
      role: 'a',
      after: { name: 'mail.example.org', ttl: 3600, data: { type: 'A', address: '198.51.100.10' } },
      reason: 'the mail host',
      rrsetBefore: [],
    },
    {
      id: 'spf',
      stage: 'auth',
      op: 'update',
      role: 'spf',
      before: { name: 'example.org', ttl: 3600, data: { type: 'TXT', text: 'v=spf1 -all' } },
      after: { name: 'example.org', ttl: 3600, data: { type: 'TXT', text: 'v=spf1 mx -all' } },
      reason: 'our host may send',
      rrsetBefore: [],
    },
    {
      id: 'dkim',
      stage: 'auth',
      op: 'create',
      role: 'dkim',
      after: { name: 's1._domainkey.example.org', ttl: 3600, data: { type: 'TXT', text: 'placeholder' } },
      pending: 'made on the server',
      reason: 'signatures',
      rrsetBefore: [],
    },
  ],
  kept: [{ role: 'caa', name: 'example.org', live: [], reason: `kept ${evil}` }],
  conflicts: [],
  notes: [{ level: 'warn', text: `note ${evil}` }],
  waits: [{ before: 'mx', seconds: 300, reason: 'old answers in caches' }],
};

const plan: PlanView = {
  hostname: 'mail.example.org',
  server: [
    {
      id: 'p',
      run: 'install',
      title: 'Install 14 packages',
      reason: 'not installed',
      calls: [],
    },
    {
      id: 'f',
      run: 'golive',
      title: 'Configure Postfix',
      reason: 'content differs',
      calls: [],
      preview: ['--- a', '+++ b', '-old', '+new', '+newer'],
    },
  ],
  zones: [zone],
  manual: [{ id: 'ptr', title: 'Set the PTR', detail: ['In the panel of your provider.'] }],
};

describe('a plan for a zone without an API', () => {
  const manual: PlanView = {
    hostname: 'mail.example.org',
    server: [],
    zones: [{ ...zone, manual: true }],
    manual: [],
  };

  it('says what to enter and what to remove, and what is not known yet', () => {
    const text = renderPlan(io(), manual);
    expect(text).toMatch(/Remove:\n {2}example\.org\. 3600 IN TXT "v=spf1 -all"/);
    expect(text).toMatch(/^mail {2}A {5}3600 {12}198\.51\.100\.10$/m);
    expect(text).toContain('mail.example.org. 3600 IN A 198.51.100.10');
    expect(text).toContain('1 more record of example.org will be known during apply.');
    expect(text).not.toContain('placeholder');
  });

  it('is data for scripts, too', () => {
    expect(planDocument(manual)).toMatchObject({
      zones: [
        {
          byHand: { remove: [{ name: '@', value: 'v=spf1 -all' }], enter: [{ name: '@' }, { name: 'mail' }] },
        },
      ],
    });
    expect(JSON.stringify(planDocument({ ...manual, zones: [zone] }))).not.toContain('byHand');
  });

  it('shows nothing to enter while something speaks against the plan', () => {
    const conflicts = [{ code: 'E_X', role: 'a', what: 'No.', evidence: [], fix: [] }];
    expect(renderPlan(io(), { ...manual, zones: [{ ...zone, manual: true, conflicts }] })).not.toContain(
      'Enter, in',
    );
  });
});

describe('renderPlan', () => {
  it('is one view over server, DNS and what is done by hand', () => {
    expect(renderPlan(io(), plan)).toBe(
      `Plan for mail.example.org: 2 steps on the server, 3 DNS records

Server: Install
  + Install 14 packages  not installed

Server: Go live
  + Configure Postfix  content differs  (+2 -1 lines)

DNS: example.org
  +  A    mail.example.org           198.51.100.10  the mail host
  ~  TXT  example.org                "v=spf1 -all" -> "v=spf1 mx -all"  our host may send
  +  TXT  s1._domainkey.example.org  (known after apply: made on the server)  signatures
  1 record kept as found (--verbose shows them)
  ▲ note x
  waits 300 s before mx: old answers in caches

By hand
  ● Set the PTR
    In the panel of your provider.`,
    );
  });

  it('shows whole diffs and kept records under --verbose', () => {
    const text = renderPlan(io({ verbose: true }), plan);
    expect(text).toContain('    │ +newer');
    expect(text).toContain('= example.org kept x');
  });

  it('says when there is nothing to change', () => {
    const empty = { ...plan, server: [], zones: [{ ...zone, changes: [] }], manual: [] };
    expect(isEmptyPlan(empty)).toBe(true);
    expect(renderPlan(io(), empty)).toContain('Nothing to change on mail.example.org or in DNS.');
    expect(planDocument(empty).pending).toBe(false);
  });

  it('never says "nothing to change" of a file that somebody else changed', () => {
    const file = { path: '/etc/postfix/main.cf', reason: 'changed since smtp-setup wrote it' };
    const empty = { ...plan, server: [], zones: [], manual: [] };
    const stopped = renderPlan(io(), { ...empty, edited: [{ ...file, kept: false }] });
    expect(stopped).toContain('it cannot be carried out as things stand');
    expect(stopped).toContain('/etc/postfix/main.cf  changed since smtp-setup wrote it');
    const kept = { ...empty, edited: [{ ...file, kept: true }] };
    expect(renderPlan(io(), kept)).toMatch(/Nothing to change[\s\S]*wrote it; it is kept/);
    expect(planDocument(kept)).toMatchObject({ pending: false, edited: [{ path: file.path, kept: true }] });
  });

  it('shows conflicts with evidence and fix', () => {
    const conflict = {
      code: 'E_FOREIGN_MX',
      role: 'mx',
      what: 'The domain receives mail elsewhere.',
      evidence: ['10 mx.other.example.'],
      fix: ['Use --send-only.'],
    };
    const text = renderPlan(io(), { ...plan, zones: [{ ...zone, conflicts: [conflict] }] });
    expect(text).toContain(
      '✖ The domain receives mail elsewhere. [E_FOREIGN_MX]\n    │ 10 mx.other.example.\n    Use --send-only.',
    );
  });

  it('shows a deletion by what goes', () => {
    const gone = { ...zone.changes[1]!, op: 'delete' as const };
    delete gone.after;
    expect(renderPlan(io(), { ...plan, zones: [{ ...zone, changes: [gone] }] })).toContain(
      '-  TXT  example.org  "v=spf1 -all"  our host may send',
    );
  });

  it('lets no control character of a zone or server through', () => {
    const hostile: PlanView = {
      ...plan,
      server: [{ ...plan.server[0]!, title: evil, reason: evil, preview: [`+${evil}`] }],
    };
    expect(renderPlan(io({ verbose: true }), hostile)).not.toMatch(/[\u001b\u0007\u202e]|owned/);
  });
});

describe('planDocument', () => {
  it('holds no value that is not known yet', () => {
    const document = planDocument(plan);
    expect(JSON.stringify(document)).not.toContain('placeholder');
    expect(document).toMatchObject({
      hostname: 'mail.example.org',
      pending: true,
      server: [{ id: 'p', run: 'install' }, { id: 'f' }],
      zones: [
        {
          zone: 'example.org',
          changes: [
            { op: 'create', after: { type: 'A', value: '198.51.100.10' } },
            {},
            { pending: 'made on the server' },
          ],
        },
      ],
    });
  });
});

describe('renderPreflight', () => {
  const finding = (status: Finding['status'], extra: Partial<Finding> = {}): Finding => ({
    id: status.toUpperCase(),
    status,
    title: `title ${status}`,
    subject: 's',
    message: `message ${status}`,
    ...extra,
  });

  it('puts the worst last, with evidence and remedy', () => {
    const bad = finding('fail', { expected: 'open', observed: `closed ${evil}`, fix: { text: 'Open it.' } });
    const text = renderPreflight(io(), [bad, finding('pass'), finding('unknown')]);
    expect(text).toBe(
      [
        '✔ title pass  message pass',
        '? title unknown',
        '  message unknown',
        '✖ title fail',
        '  message fail',
        '  │ expected: open',
        '  │ found:    closed x',
        '  Open it.',
      ].join('\n'),
    );
    expect(preflightDocument([bad])).toEqual({ preflight: [bad] });
  });
});

describe('renderSummary', () => {
  const view: SummaryView = {
    headline: 'mail.example.org is ready',
    installed: ['postfix 3.7.11', 'dovecot 2.3.19'],
    records: [{ op: 'created', record: zone.changes[0]!.after! }],
    proof: [{ title: 'SPF', status: 'pass', detail: 'at mx.receiver.test' }],
    client: {
      username: 'ada@example.org',
      imap: { host: 'mail.example.org', port: 993, security: 'TLS' },
      submission: [
        { host: 'mail.example.org', port: 465, security: 'TLS' },
        { host: 'mail.example.org', port: 587, security: 'STARTTLS' },
      ],
      automatic: ['Thunderbird', 'Outlook'],
      profile: 'https://autoconfig.example.org/apple.mobileconfig?email=ada@example.org',
    },
    generatedPassword: new Secret('abcde-fghij'),
    manual: plan.manual,
    next: [{ command: 'smtp-setup check dns', does: 'prove it again' }],
  };

  it('ends with everything one needs, and the generated password once', () => {
    const text = renderSummary(io(), view);
    expect(text).toBe(`
✔ mail.example.org is ready

Installed
  postfix 3.7.11, dovecot 2.3.19

DNS records
  created  A  mail.example.org  198.51.100.10

Proof
  ✔  SPF  at mx.receiver.test

Mail program
  User name             ada@example.org
  Password              abcde-fghij  shown this once
  IMAP                  mail.example.org, port 993, TLS
  SMTP                  mail.example.org, port 465, TLS
  or                    mail.example.org, port 587, STARTTLS
  Thunderbird, Outlook  find this by themselves from address and password
  iPhone, Mac           https://autoconfig.example.org/apple.mobileconfig?email=ada@example.org

By hand
  ● Set the PTR
    In the panel of your provider.

Next
  smtp-setup check dns  prove it again`);
    expect(text.split('abcde-fghij')).toHaveLength(2);
  });

  it('leaves out what there is not, and the password from the data', () => {
    const bare: SummaryView = {
      headline: 'done',
      installed: [],
      records: [],
      proof: [],
      manual: [],
      next: [],
    };
    expect(renderSummary(io(), bare)).toBe('\n✔ done');
    const text = JSON.stringify(summaryDocument(view));
    expect(text).not.toMatch(/abcde-fghij|hidden/);
    expect(text).toContain('"value":"198.51.100.10"');
  });
});
