import { appendFile } from 'node:fs/promises';
import type { CheckReport } from '../checks/run.js';
import { exitCodeOf } from '../checks/selection.js';
import type { CheckOptions } from '../cli/commands/check.js';
import type { Context } from '../cli/context.js';
import type { Outcome } from '../cli/outcome.js';
import { writeFileAtomically } from '../config/atomic-write.js';
import { createStyle } from '../ui/colors.js';
import { checksDocument } from '../ui/report/checks-document.js';
import { renderGithubAnnotations, renderGithubSummary } from '../ui/report/checks-github.js';
import { renderChecksHtml } from '../ui/report/checks-html.js';
import { renderChecksJunit } from '../ui/report/checks-junit.js';
import { renderChecksText } from '../ui/report/checks-text.js';

/** Shows a report in every form that was asked for, and says with which code the command ends. */
export async function publishReport(
  { io, env }: Context,
  options: Pick<CheckOptions, 'junit' | 'html' | 'failOn' | 'unknown'>,
  report: CheckReport,
): Promise<Outcome> {
  if (options.junit !== undefined) await writeFileAtomically(options.junit, renderChecksJunit(report));
  if (options.html !== undefined) await writeFileAtomically(options.html, renderChecksHtml(report));
  if (env.GITHUB_ACTIONS === 'true') {
    io.say(renderGithubAnnotations(report));
    if (env.GITHUB_STEP_SUMMARY) await appendFile(env.GITHUB_STEP_SUMMARY, renderGithubSummary(report));
  }
  io.print(
    renderChecksText(report, { style: createStyle(io.out), width: io.out.width, verbose: io.verbose }),
  );
  return {
    exit: exitCodeOf(report.results, {
      failOn: options.failOn,
      ...(options.unknown === undefined ? {} : { unknown: options.unknown }),
    }),
    document: checksDocument(report),
  };
}
