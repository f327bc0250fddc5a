export function findViolations(path: string, text: string): string[];
