/** One record of a CSV text with the number of the line it begins on. */
export interface CsvRecord {
  line: number;
  fields: string[];
}

/**
 * Reads CSV (RFC 4180): comma-separated, double quotes around fields that hold commas, quotes or line breaks. A quote
 * in the middle of an unquoted field is an ordinary character. Empty lines are left out. Pure.
 */
export function parseCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  let line = 1;
  let at = 0;
  while (at < source.length) {
    const record: CsvRecord = { line, fields: [] };
    for (let more = true; more; ) {
      const field = readField(source, at);
      record.fields.push(field.value);
      line += field.lines;
      more = source[field.end] === ',';
      at = field.end + 1;
    }
    line += 1;
    if (record.fields.length > 1 || record.fields[0] !== '') records.push(record);
  }
  return records;
}

function readField(source: string, from: number): { value: string; end: number; lines: number } {
  if (source[from] === '"') {
    const quoted = /"((?:[^"]|"")*)"(?=,|\n|$)/y;
    quoted.lastIndex = from;
    const match = quoted.exec(source);
    if (match !== null) {
      const value = (match[1] ?? '').replaceAll('""', '"');
      return { value, end: quoted.lastIndex, lines: value.split('\n').length - 1 };
    }
  }
  const end = /[,\n]|$/g;
  end.lastIndex = from;
  const stop = end.exec(source)?.index ?? source.length;
  return { value: source.slice(from, stop), end: stop, lines: 0 };
}
