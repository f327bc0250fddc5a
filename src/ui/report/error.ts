import { Exit, type ExitCode, messageOf, SetupError } from '../../errors.js';
import { sanitizeLine } from '../../lib/sanitize.js';
import { cancelledError } from '../cancelled.js';
import { createStyle } from '../colors.js';
import type { Io } from '../io.js';

export interface ErrorReport {
  exit: ExitCode;
  document: { error: { code: string; what: string; evidence: readonly string[]; fix: readonly string[] } };
}

/**
 * Prints an error on stderr (what happened, the evidence, how to fix it) and returns its exit code and document.
 * Texts may hold what a server said: they are stripped of control characters, and of secrets by `redact`.
 */
export function reportError(
  io: Io,
  error: unknown,
  redact: (text: string) => string,
  logPath?: string,
): ErrorReport {
  const known = cleanError(classifyError(error, io.verbose), (text) => sanitizeLine(redact(text), maxLine));
  io.say(renderError(io, known, logPath));
  return {
    exit: known.exit,
    document: { error: { code: known.code, what: known.message, evidence: known.evidence, fix: known.fix } },
  };
}

/** DNS values and diffs are shown whole. */
const maxLine = 2000;

function classifyError(error: unknown, verbose: boolean): SetupError {
  if (error instanceof SetupError) return error;
  if (error instanceof Error && error.name === 'AbortError') return cancelledError(error);
  return unexpected(error, verbose);
}

function cleanError(error: SetupError, clean: (text: string) => string): SetupError {
  return new SetupError({
    code: error.code,
    exit: error.exit,
    what: clean(error.message),
    evidence: error.evidence.flatMap((text) => text.split('\n')).map(clean),
    fix: error.fix.map(clean),
  });
}

function renderError(io: Io, error: SetupError, logPath: string | undefined): string {
  const { chalk, mark, bar } = createStyle(io.err);
  // Ctrl-C is no accident: one line is enough.
  if (error.exit === Exit.cancelled) return error.message;
  const lines = [`${mark.fail} ${chalk.bold(error.message)} ${chalk.dim(`[${error.code}]`)}`];
  for (const line of error.evidence) lines.push(`  ${bar} ${line}`);
  if (error.fix.length > 0) lines.push('', ...error.fix.map((line) => `  ${line}`));
  if (logPath !== undefined) lines.push('', chalk.dim(`  Full log: ${logPath}`));
  return lines.join('\n');
}

/** A bug of ours. The stack is for whoever reports it, and asked for. */
function unexpected(error: unknown, verbose: boolean): SetupError {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new SetupError({
    code: 'E_INTERNAL',
    exit: Exit.failed,
    what: `Something went wrong inside smtp-setup: ${messageOf(error)}`,
    evidence: verbose
      ? stack
          .split('\n')
          .slice(1)
          .map((line) => line.trim())
      : [],
    fix: verbose
      ? ['This is a bug of smtp-setup. Please report the lines above.']
      : ['This is a bug of smtp-setup. The same command with --verbose shows where; please report it.'],
    cause: error,
  });
}
