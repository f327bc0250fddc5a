/** Is `version` (`3.10.6`, `2.4.1+dfsg1`) the same as or later than `wanted` (`3.8`)? Compares numbers, part by part. */
export function atLeast(version: string, wanted: string): boolean {
  const have = numbers(version);
  for (const [index, part] of numbers(wanted).entries()) {
    const own = have[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

function numbers(version: string): number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
}
