const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** The three forms of RFC 9110 5.6.7: the one that is sent today and the two that must still be understood. */
const dateForms = [
  /^[a-z]{3}, (?<day>\d{2}) (?<month>[a-z]{3}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{6,9}, (?<day>\d{2})-(?<month>[a-z]{3})-(?<year>\d{2}) (?<time>\d\d:\d\d:\d\d) GMT$/i,
  /^[a-z]{3} (?<month>[a-z]{3}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/i,
];

/**
 * Seconds that a `Retry-After` asks for (RFC 9110 10.2.3): a number of them, or a date. Undefined without one that
 * can be read; also for a date that is over, since then it is the clocks that differ. Pure: `now` in milliseconds.
 */
export function parseRetryAfter(value: string | null | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  const date = parseHttpDate(text, now);
  return date === undefined || date <= now ? undefined : Math.ceil((date - now) / 1000);
}

function parseHttpDate(text: string, now: number): number | undefined {
  for (const form of dateForms) {
    const { day = '', month = '', year = '', time = '' } = form.exec(text)?.groups ?? {};
    const index = months.indexOf(month.toLowerCase());
    if (index < 0) continue;
    const [hour, minute, second] = time.split(':').map(Number);
    return Date.UTC(fullYear(Number(year), now), index, Number(day), hour, minute, second);
  }
  return undefined;
}

/** Two digits mean the year with them that is not more than 50 years ahead. */
function fullYear(year: number, now: number): number {
  if (year > 99) return year;
  const current = new Date(now).getUTCFullYear();
  const thisCentury = current - (current % 100) + year;
  return thisCentury > current + 50 ? thisCentury - 100 : thisCentury;
}
