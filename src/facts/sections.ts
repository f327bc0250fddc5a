import { shellQuote } from '../lib/shell-quote.js';
import type { ProbeOutput } from './probe.js';

/** One question inside the script that carries them all. */
export interface Section {
  name: string;
  script: string;
  /** Seconds after which `timeout` ends it (status 124). */
  seconds: number;
  /** Bytes of output that are kept; the rest is dropped and the section counts as cut. */
  maxBytes: number;
  /** Runs beside the others. */
  background: boolean;
}

export interface SectionOutput extends ProbeOutput {
  /** The output was longer than allowed. */
  cut: boolean;
  bytes: Buffer;
}

/**
 * Compiles sections into one POSIX script for `sh -s`. Each answer is one line, `TAG name status base64`: whatever a
 * login shell, a motd or a probe prints cannot be taken for it, and any byte may be in it. Nothing is executed before
 * the last line has arrived, so a cut upload does nothing. Background sections are the left side of a pipe, which
 * collects their answer without a file: facts must not write anywhere.
 */
export function compileSections(
  tag: string,
  sections: readonly Section[],
  variables: Readonly<Record<string, string>> = {},
): string {
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  const foreground = sections.filter((section) => !section.background).map(callOf);
  const background = sections.filter((section) => section.background).map(callOf);
  const body = [
    ...background.flatMap((call) => [`${call} |`, '{']),
    ...foreground,
    ...background.flatMap(() => ['cat', '}']),
  ];
  return [
    'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root',
    ...exports,
    // The status leaves on descriptor 3 and the answer on 4, so that neither the size limit nor base64 hides how
    // the probe ended. What is over the limit is read to its end: a probe that dies of SIGPIPE would look broken.
    'section() {',
    `  printf '%s %s ' ${shellQuote(tag)} "$1"`,
    '  { status=$( { { timeout -k 2 "$2" sh -c "$4" 2>/dev/null 3>&- 4>&-; echo $? >&3; } |',
    '    { head -c "$3"; cat >/dev/null; } | base64 -w 0 >&4; } 3>&1 ); } 4>&1',
    `  printf ' %s\\n' "$status"`,
    '}',
    'main() {',
    ...body,
    '}',
    // A login script may have left a line without its end.
    'echo; main </dev/null',
    '',
  ].join('\n');
}

function callOf(section: Section): string {
  const { name, seconds, maxBytes, script } = section;
  return `section ${shellQuote(name)} ${seconds} ${maxBytes + 1} ${shellQuote(script)} </dev/null`;
}

/** Reads the answers back. Lines without the tag are noise; a section without an answer is left out. */
export function parseSections(
  tag: string,
  sections: readonly Section[],
  stdout: string,
): Map<string, SectionOutput> {
  const limits = new Map(sections.map((section) => [section.name, section.maxBytes]));
  const answers = new Map<string, SectionOutput>();
  for (const line of stdout.split('\n')) {
    const [marker, name, answer, status, ...rest] = line.trimEnd().split(' ');
    const limit = limits.get(name ?? '');
    if (marker !== tag || name === undefined || limit === undefined || answers.has(name)) continue;
    if (answer === undefined || !/^[A-Za-z0-9+/]*={0,2}$/.test(answer)) continue;
    if (status === undefined || !/^\d{1,3}$/.test(status) || rest.length > 0) continue;
    const all = Buffer.from(answer, 'base64');
    const bytes = all.subarray(0, limit);
    answers.set(name, {
      code: Number(status),
      stdout: bytes.toString('utf8'),
      bytes,
      cut: all.length > limit,
    });
  }
  return answers;
}
