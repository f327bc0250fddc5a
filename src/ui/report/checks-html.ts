import type { Finding } from '../../checks/check.js';
import type { CheckReport } from '../../checks/run.js';
import { escapeHtml } from '../../lib/sanitize.js';
import { fixRecordLine, groupFindings, statusWords, summaryWords, verdictSentence } from './checks-view.js';

/** One file, no scripts, nothing loaded from anywhere: it can be mailed, archived and opened years later. */
export function renderChecksHtml(report: CheckReport): string {
  const title = `Mail check of ${report.target.domains.join(', ')}`;
  const groups = groupFindings(report.results);
  const sections = groups.map(
    ({ name, status, findings }) =>
      `<details${status === 'pass' || status === 'info' ? '' : ' open'}><summary class="${status}">${escapeHtml(name)} <small>${passedOf(findings)}</small></summary>\n${renderGroup(findings)}\n</details>`,
  );
  const profile = report.profile
    ? `<p>${escapeHtml(report.profile.title)}. Not checked here: ${escapeHtml(report.profile.beyond.join('; '))}.</p>`
    : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${styles}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="verdict">${escapeHtml(verdictSentence(report))}</p>
<p>${escapeHtml(summaryWords(report))}. Asked through ${escapeHtml(report.resolver)} at <time datetime="${escapeHtml(report.startedAt)}">${escapeHtml(report.startedAt)}</time>.</p>
${profile}
${sections.join('\n')}
</body>
</html>
`;
}

function passedOf(findings: readonly Finding[]): string {
  return `${findings.filter((finding) => finding.status === 'pass').length} of ${findings.length} passed`;
}

/** What passed is folded away where something else is to be read. */
function renderGroup(findings: readonly Finding[]): string {
  const notable = findings.filter(({ status }) => status !== 'pass');
  const passed = findings.filter(({ status }) => status === 'pass');
  const all = passed.map(renderFinding).join('\n');
  if (notable.length === 0 || passed.length === 0) return [...notable.map(renderFinding), all].join('\n');
  const folded = `<details class="passed"><summary class="pass">${passed.length} passed</summary>\n${all}\n</details>`;
  return [...notable.map(renderFinding), folded].join('\n');
}

function renderFinding(finding: Finding): string {
  const record = fixRecordLine(finding);
  const fields: [string, string | undefined][] = [
    ['expected', finding.expected],
    ['found', finding.observed],
    ['fix', finding.fix?.text],
    [
      'suppressed',
      finding.suppressed &&
        `${finding.suppressed.reason}${finding.suppressed.until === undefined ? '' : ` (until ${finding.suppressed.until})`}`,
    ],
    ['see', finding.ref],
  ];
  const list = fields
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([label, value]) => `<dt>${label}</dt><dd>${escapeHtml(value ?? '')}</dd>`)
    .join('');
  const copy = record === undefined ? '' : `<pre>${escapeHtml(record)}</pre>`;
  const word = finding.suppressed ? 'suppressed' : statusWords[finding.status];
  return `<article class="${finding.suppressed ? 'suppressed' : finding.status}"><h2><span>${word}</span> ${escapeHtml(finding.id)} <small>${escapeHtml(finding.subject)}</small></h2><p>${escapeHtml(finding.message)}</p><dl>${list}</dl>${copy}</article>`;
}

const styles = `
:root{color-scheme:light dark;--fail:#c0392b;--warn:#b7791f;--unknown:#6b7280;--info:#2563eb;--pass:#15803d;--line:#8884}
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1rem;margin:0}.verdict{font-size:1.25rem;font-weight:600}
.passed{margin-left:.75rem}.passed>summary{border:0;font-size:.9rem}
summary{font-weight:600;padding:.5rem;border-bottom:1px solid var(--line);cursor:pointer}
article{border-left:.3rem solid var(--line);margin:.75rem 0;padding:.25rem .75rem}
article span{font-size:.75rem;text-transform:uppercase;letter-spacing:.05em}
small{font-weight:400;opacity:.75}dl{display:grid;grid-template-columns:6rem 1fr;margin:.25rem 0;font-size:.9rem}
dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}pre{overflow-x:auto;padding:.5rem;border:1px solid var(--line);white-space:pre}
.fail{border-color:var(--fail)}.fail>h2 span,summary.fail{color:var(--fail)}
.warn{border-color:var(--warn)}.warn>h2 span,summary.warn{color:var(--warn)}
.unknown{border-color:var(--unknown)}.unknown>h2 span,summary.unknown{color:var(--unknown)}
.info{border-color:var(--info)}.info>h2 span{color:var(--info)}
.pass{border-color:var(--pass)}.pass>h2 span,summary.pass{color:var(--pass)}
.suppressed{opacity:.6}
`;
