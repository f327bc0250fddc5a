import type { CheckReport } from '../../checks/run.js';
import { fixRecordLine } from './checks-view.js';

/**
 * The report as plain data for `--json`, after `ok` and `exit` (see document.ts). Described by
 * schemas/check-report.schema.json; fields are only ever added.
 */
export function checksDocument(report: CheckReport): Record<string, unknown> {
  return {
    ...report,
    results: report.results.map((finding) => {
      if (finding.fix === undefined) return finding;
      const line = fixRecordLine(finding);
      return { ...finding, fix: { ...finding.fix, ...(line !== undefined && { zoneFile: line }) } };
    }),
  };
}
