import { Exit, SetupError } from '../errors.js';
import { shellQuote } from '../lib/shell-quote.js';
import type { Connection } from '../ssh/connection.js';
import { type Facts, probes } from './index.js';
import { defaultSmtpHosts } from './outbound-smtp.js';
import type { Probe } from './probe.js';
import { compileSections, parseSections, type Section, type SectionOutput } from './sections.js';

export interface FactsInput {
  /** Literal paths or shell globs whose files are hashed: the components' `watch` lists. */
  watch: readonly string[];
  /** Names of the units whose files are looked for: the components' `unitFiles`. */
  unitFiles: readonly string[];
  /** Where outbound port 25 is tried: names or addresses. An empty list skips the question. */
  smtpHosts?: readonly string[];
  signal?: AbortSignal;
}

// Answers are base64 and need no secret mark: only a line that imitates us on purpose could be taken for one.
const tag = 'smtp-setup-facts';
const sectionBytes = 1024 * 1024;
const sectionSeconds = 20;

/**
 * Asks every probe in one round trip, as root, writing nothing on the server. A probe that fails or hangs is parsed
 * as an empty answer ("unknown"). Throws E_FACTS when the server's shell runs none of it.
 */
export async function readFacts(connection: Connection, input: FactsInput): Promise<Facts> {
  const entries: [string, Probe<unknown>][] = Object.entries(probes);
  const sections = entries.map(([name, probe]) => sectionOf(name, probe.script, probe.slow));
  const answers = await ask(connection, sections, input.signal, {
    FACT_WATCH: input.watch.join('\n'),
    FACT_UNITS: input.unitFiles.join(' '),
    FACT_SMTP_HOSTS: (input.smtpHosts ?? defaultSmtpHosts).join(' '),
  });
  const facts = entries.map(([name, probe]) => [
    name,
    probe.parse(answers.get(name) ?? { code: 127, stdout: '' }),
  ]);
  return Object.fromEntries(facts) as Facts;
}

/** A few of the facts, for commands that need no more; one round trip. Throws as {@link readFacts} does. */
export async function readSomeFacts<K extends keyof Facts>(
  connection: Connection,
  names: readonly K[],
  signal?: AbortSignal,
): Promise<Pick<Facts, K>> {
  const sections = names.map((name) => sectionOf(name, probes[name].script));
  const answers = await ask(connection, sections, signal, { FACT_SMTP_HOSTS: defaultSmtpHosts.join(' ') });
  const facts = names.map((name) => [
    name,
    probes[name].parse(answers.get(name) ?? { code: 127, stdout: '' }),
  ]);
  return Object.fromEntries(facts) as Pick<Facts, K>;
}

/** The content of files, for diffs; one round trip. Files that are absent, unreadable or over 1 MiB are left out. */
export async function readFiles(
  connection: Connection,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  if (paths.length === 0) return contents;
  const sections = paths.map((path, index) => sectionOf(`file-${index}`, `exec cat -- ${shellQuote(path)}`));
  const answers = await ask(connection, sections, signal);
  for (const [index, path] of paths.entries()) {
    const answer = answers.get(`file-${index}`);
    if (answer?.code === 0 && !answer.cut) contents.set(path, answer.stdout);
  }
  return contents;
}

function sectionOf(name: string, script: string, background = false): Section {
  return { name, script, seconds: sectionSeconds, maxBytes: sectionBytes, background };
}

async function ask(
  connection: Connection,
  sections: readonly Section[],
  signal?: AbortSignal,
  variables: Readonly<Record<string, string>> = {},
): Promise<Map<string, SectionOutput>> {
  const result = await connection.exec('sh -s', {
    root: true,
    stdin: compileSections(tag, sections, variables),
    maxOutput: 64 * 1024 * 1024,
    ...(signal ? { signal } : {}),
  });
  const answers = parseSections(tag, sections, result.stdout);
  if (answers.size > 0) return answers;
  throw new SetupError({
    code: 'E_FACTS',
    exit: Exit.unsuitable,
    what: `The shell of ${connection.target.host} ran none of our questions.`,
    evidence: [
      `exit status ${result.code ?? result.signal ?? 'unknown'}`,
      ...result.stderr.split('\n').slice(0, 3),
    ],
    fix: [
      'Log in by hand and see that `sh -c true` works as root (a forced command or a restricted shell does not).',
    ],
  });
}
