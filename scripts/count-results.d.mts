export interface VitestReport {
  testResults: readonly { status: string; assertionResults: readonly { status: string }[] }[];
}

export function countResults(
  report: VitestReport,
  exitStatus: number | null,
): { passed: number; failed: number };
