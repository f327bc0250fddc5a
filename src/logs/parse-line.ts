/** One line of the journal. Untrusted text throughout. */
export interface LogLine {
  /** Seconds since 1970, with fractions. */
  time: number;
  /** The syslog identifier: `postfix/smtpd`, `postfix/submissions/smtpd`, `dovecot`, `rspamd`. */
  program: string;
  text: string;
}

const shortUnix = /^(\d{9,11}\.\d{1,9}) \S+ ([^\s[:]{1,80})(?:\[\d{1,10}\])?: (.*)$/;
/** A mail log line is a few hundred bytes; what is longer was made long on purpose. */
const maxText = 8192;

/** Reads one line of `journalctl -o short-unix` or `-o json`; undefined for anything else (continuations, headings). */
export function parseLogLine(line: string): LogLine | undefined {
  if (line.startsWith('{')) return parseJsonLine(line);
  const match = shortUnix.exec(line.length > maxText ? line.slice(0, maxText) : line);
  if (match === null) return undefined;
  const [, time = '', program = '', text = ''] = match;
  return { time: Number(time), program, text };
}

function parseJsonLine(line: string): LogLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    // The last line of an output that was cut.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const {
    MESSAGE: text,
    SYSLOG_IDENTIFIER: program,
    _SOURCE_REALTIME_TIMESTAMP: sent,
    __REALTIME_TIMESTAMP: stored,
  } = value as Record<string, unknown>;
  const time = Number(sent ?? stored);
  if (typeof text !== 'string' || typeof program !== 'string' || !Number.isFinite(time)) return undefined;
  return { time: time / 1e6, program, text: text.slice(0, maxText) };
}
