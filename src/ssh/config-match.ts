import type { ConfigLine } from './config-lines.js';
import { matchesPatternList } from './patterns.js';

/** What Host and Match lines are compared with; host and user may still change while the files are read. */
export interface MatchContext {
  originalHost: string;
  localUser: string;
  host(): string;
  user(): string;
  /** The second pass, in which Host compares with the final name and `Match final` holds. */
  final: boolean;
  /** Set when a `Match final` was met. */
  wantsFinal: boolean;
  warn(message: string): void;
}

export function matchesHostLine(line: ConfigLine, context: MatchContext): boolean {
  return matchesPatternList(line.args, context.final ? context.host() : context.originalHost);
}

/** All criteria of a Match line must hold. `exec` is never run: its block is left out, with a warning if it mattered. */
export function matchesMatchLine(line: ConfigLine, context: MatchContext): boolean {
  const place = `${line.file}:${line.line}`;
  let undecided: string | undefined;
  for (let at = 0; at < line.args.length; at++) {
    const word = line.args[at] ?? '';
    const negated = word.startsWith('!');
    const [criterion = '', attached] = splitOnce(negated ? word.slice(1) : word);
    const flag = matchesFlag(criterion, context);
    if (flag !== undefined) {
      if (flag === negated) return false;
      continue;
    }
    const argument = attached ?? line.args[++at];
    if (argument === undefined) {
      context.warn(`${place}: Match ${criterion} lacks its argument; the block was left out.`);
      return false;
    }
    const subject = subjectOf(criterion, context);
    if (subject === undefined) undecided = criterion;
    else if (matchesPatternList(argument.split(','), subject) === negated) return false;
  }
  if (undecided === undefined) return true;
  const reason = undecided === 'exec' ? 'Match exec is never run' : `Match ${undecided} is not understood`;
  context.warn(`${place}: ${reason}; the block was left out.`);
  return false;
}

function splitOnce(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at < 0 ? [word.toLowerCase(), undefined] : [word.slice(0, at).toLowerCase(), word.slice(at + 1)];
}

function matchesFlag(criterion: string, context: MatchContext): boolean | undefined {
  if (criterion === 'all') return true;
  if (criterion === 'final') {
    context.wantsFinal = true;
    return context.final;
  }
  // Names are not canonicalised here.
  return criterion === 'canonical' ? false : undefined;
}

function subjectOf(criterion: string, context: MatchContext): string | undefined {
  switch (criterion) {
    case 'host':
      return context.host();
    case 'originalhost':
      return context.originalHost;
    case 'user':
      return context.user();
    case 'localuser':
      return context.localUser;
    default:
      return undefined;
  }
}
