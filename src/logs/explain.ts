import { blockListAnswers } from './answers/block-lists.js';
import { generalAnswers } from './answers/general.js';
import { googleAnswers } from './answers/google.js';
import { microsoftAnswers } from './answers/microsoft.js';
import { protocolAnswers } from './answers/protocol.js';
import { providerAnswers } from './answers/providers.js';
import type { AnswerRule, Explanation } from './answers/rule.js';

export type { Explanation } from './answers/rule.js';

/** Tried in order; the first that matches explains the answer, so what is narrow stands before what is broad. */
const rules: readonly AnswerRule[] = [
  ...googleAnswers,
  ...microsoftAnswers,
  ...providerAnswers,
  ...blockListAnswers,
  ...protocolAnswers,
  ...generalAnswers,
];

/** Postfix logs less; whoever writes more wants to keep the patterns busy. */
const longest = 2000;

/** Explains what a remote server answered; undefined for answers that we know nothing about. Pure. */
export function explainAnswer(answer: string): Explanation | undefined {
  const text = answer.slice(0, longest);
  const rule = rules.find(({ match }) => match.test(text));
  if (rule === undefined) return undefined;
  const { match: _match, ...explanation } = rule;
  return explanation;
}
