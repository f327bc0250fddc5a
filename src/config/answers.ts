import { Exit, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import type { LoadedConfig } from './parse.js';
import { type QuestionKey, questions } from './questions.js';

/** Where a value came from: shown with it, and named in errors about it. */
export type Origin =
  | { from: 'flag'; name: string }
  | { from: 'env'; name: string }
  | { from: 'file'; path: string }
  | { from: 'answer' }
  | { from: 'detected' };

export interface Answer {
  value: string;
  origin: Origin;
}

export type Answers = Partial<Record<QuestionKey, Answer>>;

export interface AnswerSources {
  flags: Partial<Record<QuestionKey, string>>;
  env: Readonly<Record<string, string | undefined>>;
  file?: LoadedConfig;
}

/**
 * The values that are given, in canonical form: flags before environment before file. Throws one SetupError
 * E_ANSWER_INVALID (exit 2) about all values that are wrong.
 */
export function collectAnswers(sources: AnswerSources): Answers {
  const answers: Answers = {};
  const faults: string[] = [];
  for (const key of new Set<QuestionKey>([
    'domain',
    'hostname',
    ...(Object.keys(questions) as QuestionKey[]),
  ])) {
    const given = firstGiven(key, sources, answers);
    if (given === undefined) continue;
    const parsed = questions[key].parse(given.value);
    if (parsed.ok) answers[key] = { value: parsed.value, origin: given.origin };
    else faults.push(describeFault(given, [parsed.problem, parsed.hint]));
  }
  const { domain, hostname } = answers;
  if (domain !== undefined && hostname !== undefined && hostname.value === domain.value) {
    faults.push(
      describeFault(hostname, ['The mail host needs a name of its own.', `Such as mail.${domain.value}.`]),
    );
  }
  if (faults.length > 0) throw invalid(faults);
  return answers;
}

function firstGiven(
  key: QuestionKey,
  { flags, env, file }: AnswerSources,
  answers: Answers,
): Answer | undefined {
  const { flag, env: variable } = questions[key];
  const fromFlag = flags[key];
  if (fromFlag !== undefined) return { value: fromFlag, origin: { from: 'flag', name: flag } };
  const fromEnv = env[variable];
  if (fromEnv !== undefined && fromEnv !== '')
    return { value: fromEnv, origin: { from: 'env', name: variable } };
  if (file === undefined) return undefined;
  const fromFile = readFromConfig(key, file, answers);
  return fromFile === undefined ? undefined : { value: fromFile, origin: { from: 'file', path: file.path } };
}

/**
 * What the file says, once it is clear of which server and domain: those named, else the only ones. Domain and host
 * name are collected first, so that a flag may choose among several.
 */
function readFromConfig(key: QuestionKey, { config }: LoadedConfig, answers: Answers): string | undefined {
  const domains = Object.keys(config.domains);
  const domainName = answers.domain?.value ?? (domains.length === 1 ? domains[0] : undefined);
  const domain = domainName === undefined ? undefined : config.domains[domainName];
  const hosts = Object.keys(config.servers);
  const hostname = answers.hostname?.value ?? domain?.server ?? (hosts.length === 1 ? hosts[0] : undefined);
  const server = hostname === undefined ? undefined : config.servers[hostname];
  switch (key) {
    case 'domain':
      return domainName;
    case 'hostname':
      return hostname;
    case 'dns':
      return domain?.dns;
    case 'ssh':
    case 'identity':
    case 'hostKey':
    case 'ipv4':
      return server?.[key];
    case 'serverForwarder':
      return server?.resolver.forwarder;
    case 'trustAnchor':
      return server?.resolver.trustAnchor;
    default:
      return undefined;
  }
}

function describeFault({ value, origin }: Answer, sentences: readonly (string | undefined)[]): string {
  const name = 'name' in origin ? origin.name : describeOrigin(origin);
  return `${name} ${sanitizeLine(value, 80)}: ${sentences.filter(Boolean).join(' ')}`;
}

/** "--domain", "SMTP_SETUP_DOMAIN", "smtp-setup.yaml", … */
export function describeOrigin(origin: Origin): string {
  switch (origin.from) {
    case 'flag':
    case 'env':
      return origin.name;
    case 'file':
      return origin.path;
    case 'answer':
      return 'your answer';
    case 'detected':
      return 'detected';
  }
}

function invalid(faults: readonly string[]): SetupError {
  return new SetupError({
    code: 'E_ANSWER_INVALID',
    exit: Exit.usage,
    what:
      faults.length === 1
        ? 'A value that was given cannot be used.'
        : `${faults.length} values that were given cannot be used.`,
    evidence: faults,
    fix: ['Correct it and run the command again; nothing was changed.'],
  });
}
