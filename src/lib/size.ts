const units: Readonly<Record<string, number>> = { M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** `500M`, `5G`, `1T`, or `none` (0: no limit) → bytes; undefined when it is none of these. */
export function parseSize(text: string): number | undefined {
  if (text === 'none') return 0;
  const [, count, unit] = /^([1-9]\d{0,5})([MGT])$/.exec(text) ?? [];
  const bytes = Number(count) * (units[unit ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
