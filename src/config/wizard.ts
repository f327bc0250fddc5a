import { Exit, SetupError } from '../errors.js';
import type { Answers } from './answers.js';
import type { Asker } from './asker.js';
import { type Known, type QuestionKey, questions } from './questions.js';

/** Something `init` needs and was not given. */
export interface Missing {
  /** "the server to log in to". */
  what: string;
  /** Ways to give it: a flag, a variable. */
  ways: readonly string[];
  /** Why it could not be found out; a clause. */
  why?: string;
}

/**
 * Fills in what is not given yet, in the order of `keys`. At a terminal it asks; without one it takes what is suggested
 * (from facts) and throws E_MISSING (exit 2) about the rest, together with `alsoMissing`.
 */
export async function completeAnswers(
  asker: Asker,
  keys: readonly QuestionKey[],
  given: Answers,
  known: Known,
  alsoMissing: readonly Missing[] = [],
): Promise<Answers> {
  const answers: Answers = { ...given };
  const missing: Missing[] = [];
  for (const key of keys) {
    if (answers[key] !== undefined) continue;
    const now: Known = { ...known, ...domainOf(answers) };
    const suggestion = questions[key].suggest?.(now);
    if (asker.interactive) {
      const offer = suggestion ?? questions[key].offer?.(now);
      const value = await askQuestion(asker, key, offer, answers, now);
      answers[key] = { value, origin: value === suggestion ? { from: 'detected' } : { from: 'answer' } };
    } else if (suggestion !== undefined) answers[key] = { value: suggestion, origin: { from: 'detected' } };
    else missing.push(describeMissing(key, key === 'dns' ? now.unrecognisedDns : undefined));
  }
  if (missing.length + alsoMissing.length > 0 && !asker.interactive)
    throw missingError([...missing, ...alsoMissing]);
  return answers;
}

/** A question as one of the things that are missing. */
function describeMissing(key: QuestionKey, why: string | undefined): Missing {
  const { help, flag, argument, env } = questions[key];
  const ways = [`${flag} ${argument.toUpperCase()}`, env];
  return { what: help, ways, ...(why === undefined ? {} : { why }) };
}

/** One message about everything that is missing, so that a script needs one round to get it right. */
export function missingError(missing: readonly Missing[]): SetupError {
  return new SetupError({
    code: 'E_MISSING',
    exit: Exit.usage,
    what: 'There is no terminal to ask at, and these are missing:',
    evidence: missing.map(
      ({ what, ways, why }) => `${ways.join(' or ')}: ${what}${why === undefined ? '' : `; ${why}`}`,
    ),
    fix: ['Give them and run the command again; nothing was changed.'],
  });
}

async function askQuestion(
  asker: Asker,
  key: QuestionKey,
  suggestion: string | undefined,
  answers: Answers,
  known: Known,
): Promise<string> {
  const question = questions[key];
  const choices = question.choices?.(known) ?? [];
  if (choices.length > 0)
    return asker.choose({
      key,
      message: question.message ?? question.help,
      choices,
      ...(suggestion === undefined ? {} : { default: suggestion }),
    });
  const check = (input: string): true | string => {
    const parsed = question.parse(input);
    if (!parsed.ok) return [parsed.problem, parsed.hint].filter(Boolean).join(' ');
    if (key === 'hostname' && parsed.value === answers.domain?.value)
      return 'The mail host needs a name of its own.';
    return true;
  };
  const input = await asker.text({
    key,
    message: question.message ?? question.help,
    ...(suggestion === undefined ? {} : { default: suggestion }),
    validate: check,
  });
  const parsed = question.parse(input);
  if (!parsed.ok) throw new Error(`the asker let "${key}" through although its validation refused it`);
  return parsed.value;
}

function domainOf(answers: Answers): Pick<Known, 'domain'> {
  return answers.domain === undefined ? {} : { domain: answers.domain.value };
}
