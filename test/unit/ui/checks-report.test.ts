import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/checks/check.js';
import type { CheckReport } from '../../../src/checks/run.js';
import { createStyle } from '../../../src/ui/colors.js';
import { checksDocument } from '../../../src/ui/report/checks-document.js';
import { renderGithubAnnotations, renderGithubSummary } from '../../../src/ui/report/checks-github.js';
import { renderChecksHtml } from '../../../src/ui/report/checks-html.js';
import { renderChecksJunit } from '../../../src/ui/report/checks-junit.js';
import { renderChecksText } from '../../../src/ui/report/checks-text.js';
import { renderDocument } from '../../../src/ui/report/document.js';
import { schemaErrors } from '../../helpers/json-schema.js';

const finding = (id: string, status: Finding['status'], more: Partial<Finding> = {}): Finding => ({
  id,
  status,
  title: `Title of ${id}`,
  subject: 'example.org TXT',
  message: `Message of ${id}.`,
  group: id.split('-')[0] ?? id,
  ...more,
});
const hostile = 'a\u001b[31m\u202e\u0007<script>alert("1")</script>&|`\n::error::x%0A\r]]>';

function reportOf(results: readonly Finding[]): CheckReport {
  const summary = { pass: 0, warn: 0, fail: 0, info: 0, unknown: 0, suppressed: 0 };
  for (const one of results) summary[one.suppressed ? 'suppressed' : one.status] += 1;
  return {
    schemaVersion: 1,
    tool: { name: 'smtp-setup', version: '0.1.0' },
    startedAt: '2026-11-24T05:00:00.000Z',
    target: { domains: ['example.org'], hosts: ['mail.example.org'] },
    resolver: '198.51.100.53',
    summary,
    results,
  };
}

const mixed = reportOf([
  finding('DKIM-KEY', 'unknown', { message: 'The lookup failed: SERVFAIL.', observed: 'no answer' }),
  finding('DMARC-P', 'warn', { fix: { text: 'Change p=none to p=quarantine.' } }),
  finding('MX-V6', 'info'),
  finding('PTR-GENERIC', 'warn', { suppressed: { reason: 'provider cannot', until: '2027-01-01' } }),
  finding('SPF-MISSING', 'fail', {
    expected: 'v=spf1 a:mail.example.org -all',
    observed: 'no such record',
    ref: 'RFC 7208 section 3',
    level: 'recursive',
    fix: {
      text: 'Add this TXT record at example.org.',
      record: {
        name: 'example.org',
        ttl: 3600,
        data: { type: 'TXT', text: 'v=spf1 a:mail.example.org -all' },
      },
    },
  }),
  finding('SPF-ALL', 'pass'),
]);
const style = createStyle({ colorLevel: 0, unicode: true });
const recordLine = 'example.org. 3600 IN TXT "v=spf1 a:mail.example.org -all"';

describe('renderChecksText', () => {
  it('shows a line for each group, then only what needs a look, the verdict last', () => {
    expect(renderChecksText(mixed, { style, width: 80 })).toBe(
      [
        'example.org  asked through 198.51.100.53',
        '',
        '✔ MX     1 note',
        '✖ SPF    1 failed, 1 passed',
        '? DKIM   1 unknown',
        '▲ DMARC  1 warning',
        '',
        '✖ SPF-MISSING  example.org TXT',
        '  Message of SPF-MISSING.',
        '  │ expected  v=spf1 a:mail.example.org -all',
        '  │ found     no such record',
        '  │ as a resolver says; it may be out of date',
        '  fix  Add this TXT record at example.org.',
        recordLine,
        '',
        '? DKIM-KEY  example.org TXT',
        '  The lookup failed: SERVFAIL.',
        '  │ found     no answer',
        '',
        '▲ DMARC-P  example.org TXT',
        '  Message of DMARC-P.',
        '  fix  Change p=none to p=quarantine.',
        '',
        '  suppressed until 2027-01-01: PTR-GENERIC example.org TXT (provider cannot)',
        '',
        '✖ example.org: something is wrong.  1 failed, 1 unknown, 1 warning, 1 note, 1 suppressed, 1 passed',
        '',
      ].join('\n'),
    );
  });
  it('shows everything when verbose', () => {
    const text = renderChecksText(mixed, { style, width: 80, verbose: true });
    expect(text).toContain('✔ SPF-ALL');
    expect(text).toContain('● MX-V6');
    expect(text).toContain('RFC 7208 section 3');
  });
  it('never wraps the record to copy', () => {
    expect(renderChecksText(mixed, { style, width: 30 }).split('\n')).toContain(recordLine);
  });
  it('says the same generic advice once', () => {
    const advice = { fix: { text: 'Ask again later.' } };
    const report = reportOf([finding('A-1', 'unknown', advice), finding('B-1', 'unknown', advice)]);
    expect(renderChecksText(report, { style, width: 80 }).match(/Ask again later/g)).toHaveLength(1);
  });
  it.each([
    [[finding('A-1', 'pass')], 'all is well'],
    [[finding('A-1', 'warn')], 'works; some things could be better'],
    [[finding('A-1', 'unknown'), finding('A-1', 'warn')], 'not everything could be looked up'],
    [[finding('A-1', 'unknown')], 'nothing could be looked up from here'],
    [[], 'nothing was checked'],
  ])('%#: one verdict', (results, words) => {
    expect(renderChecksText(reportOf(results), { style, width: 80 })).toContain(words);
  });
});

describe('checksDocument', () => {
  const schema: unknown = JSON.parse(
    readFileSync(new URL('../../../schemas/check-report.schema.json', import.meta.url), 'utf8'),
  );
  it('fits the published schema', () => {
    const profiled = { ...mixed, profile: { id: 'gmail' as const, title: 't', beyond: ['b'] } };
    for (const report of [mixed, profiled, reportOf([])])
      expect(schemaErrors(schema, JSON.parse(renderDocument(1, checksDocument(report))))).toEqual([]);
  });
  it('is refused by the schema when a field is missing or wrong', () => {
    const document = JSON.parse(renderDocument(1, checksDocument(mixed)));
    expect(schemaErrors(schema, { ...document, schemaVersion: 2 })).toEqual(['/schemaVersion: not 1']);
    expect(schemaErrors(schema, { ...document, results: [{ id: 'spf' }] })).toContain(
      '/results/0/id: does not match the pattern',
    );
    expect(schemaErrors(schema, { ...document, summary: {} })).toContain('/summary: lacks pass');
  });
  it('gives fixes as zone-file lines too, and keeps suppressed findings', () => {
    const text = renderDocument(1, checksDocument(mixed));
    expect(text).toContain(JSON.stringify(recordLine));
    expect(text).toContain('provider cannot');
  });
});

describe('renderChecksJunit', () => {
  const xml = renderChecksJunit(mixed);
  it('counts fails as failures, unknown and suppressed as skipped', () => {
    expect(xml).toContain('<testsuites name="smtp-setup check" tests="6" failures="1" errors="0">');
    expect(xml).toContain('<testsuite name="SPF" tests="2" failures="1" errors="0" skipped="0"');
    expect(xml).toContain('<failure type="SPF-MISSING" message="Message of SPF-MISSING.">');
    expect(xml).toContain('fix: Add this TXT record at example.org.');
    expect(xml.match(/<skipped /g)).toHaveLength(2);
  });
  it('is well-formed whatever DNS holds', () => {
    const odd = renderChecksJunit(
      reportOf([
        finding('A-1', 'fail', { message: hostile, observed: hostile, subject: hostile, group: hostile }),
      ]),
    );
    expect(odd).not.toMatch(/<script|[\u0000-\u0008\u001b\u202e]/);
    expect(
      odd.replace(
        /<\?xml[^>]*\?>|<\/?(?:testsuites?|testcase|failure|skipped|system-out)(?: [a-z]+="[^"<&]*(?:&(?:amp|lt|gt|quot|#39);[^"<&]*)*")*\/?>/g,
        '',
      ),
    ).not.toMatch(/[<]/);
  });
});

describe('GitHub', () => {
  it('annotates fails as errors, warnings and unknowns as warnings, in one line each', () => {
    const lines = renderGithubAnnotations(mixed).trimEnd().split('\n');
    expect(lines).toEqual([
      `::error title=SPF-MISSING Title of SPF-MISSING::example.org TXT: Message of SPF-MISSING.%0Afound: no such record%0Afix: Add this TXT record at example.org.%0A${recordLine}`,
      '::warning title=DKIM-KEY Title of DKIM-KEY::example.org TXT: The lookup failed: SERVFAIL.%0Afound: no answer',
      '::warning title=DMARC-P Title of DMARC-P::example.org TXT: Message of DMARC-P.%0Afix: Change p=none to p=quarantine.',
    ]);
  });
  it('stays within ten of a kind, unknown before warning, and counts the rest', () => {
    const many = reportOf([
      ...Array.from({ length: 14 }, (_, index) => finding(`W-${index}`, 'warn')),
      finding('U-1', 'unknown'),
      ...Array.from({ length: 10 }, (_, index) => finding(`F-${index}`, 'fail')),
    ]);
    const lines = renderGithubAnnotations(many).trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('::error'))).toHaveLength(10);
    const warnings = lines.filter((line) => line.startsWith('::warning'));
    expect(warnings).toHaveLength(10);
    expect(warnings[0]).toContain('U-1');
    expect(warnings.at(-1)).toBe('::warning title=smtp-setup::+6 more; see the step summary');
  });
  it('lets no workflow command through', () => {
    const lines = renderGithubAnnotations(
      reportOf([finding('A-1', 'fail', { message: hostile, title: 't:,\n::', observed: hostile })]),
    );
    expect(lines.trimEnd().split('\n')).toHaveLength(1);
    expect(lines).toMatch(/^::error title=A-1 t%3A%2C/);
    expect(lines).not.toMatch(/[\u001b\u202e\r]/);
  });
  it('summarizes in Markdown that nothing in DNS can break', () => {
    const text = renderGithubSummary(
      reportOf([
        finding('A-1', 'fail', { message: hostile, fix: { text: hostile } }),
        finding('A-2', 'pass'),
      ]),
    );
    expect(text).toContain('| A | ❌ 1 of 2 passed |');
    expect(text).not.toContain('<script');
    const rows = text.split('\n').filter((line) => line.startsWith('| ❌'));
    expect(rows).toHaveLength(1);
    expect(rows[0]?.match(/(?<!\\)\|/g)).toHaveLength(6);
  });
});

describe('renderChecksHtml', () => {
  it('is one file without scripts or outside references', () => {
    const html = renderChecksHtml(mixed);
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/<script|src=|href=|@import|url\(/);
    expect(html).toContain('example.org. 3600 IN TXT &quot;v=spf1 a:mail.example.org -all&quot;');
    expect(html).toContain('provider cannot (until 2027-01-01)');
  });
  it('folds away what passed beside what did not', () => {
    const html = renderChecksHtml(reportOf([finding('SPF-ONE', 'pass'), finding('SPF-ALL', 'fail')]));
    expect(html.indexOf('Message of SPF-ALL')).toBeLessThan(html.indexOf('<details class="passed">'));
    expect(html.indexOf('<details class="passed">')).toBeLessThan(html.indexOf('Message of SPF-ONE'));
  });
  it('escapes whatever DNS holds', () => {
    const html = renderChecksHtml(
      reportOf([
        finding('A-1', 'fail', { message: hostile, observed: hostile, subject: hostile, group: hostile }),
      ]),
    );
    expect(html).not.toContain('<script');
    expect(html).not.toMatch(/[\u001b\u202e\u0007]/);
  });
});
