export interface NamedReport {
  testResults: readonly {
    name: string;
    status: string;
    message?: string;
    assertionResults: readonly {
      status: string;
      fullName?: string;
      failureMessages?: readonly string[];
    }[];
  }[];
}

export function listFailures(report: NamedReport, root?: string): string[];
