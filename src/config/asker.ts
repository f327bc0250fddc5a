import type { QuestionKey } from './questions.js';
import type { Secret } from './secret.js';

/** What is asked beside the questions of `questions.ts`: consents and choices. Tests script by these names. */
export type AskKey = QuestionKey | (string & {});

export interface TextRequest {
  key: AskKey;
  message: string;
  /** What helps with the answer: where to look, what is needed; shown above the question. */
  hint?: string;
  /** Taken on Enter. */
  default?: string;
  /** `true`, or one sentence about what is wrong; asked again then. */
  validate?(value: string): true | string;
}

export interface SecretRequest {
  key: AskKey;
  message: string;
  /** What helps with the answer: where to look, what is needed; shown above the question. */
  hint?: string;
  /** Gets the typed value; an empty one means Enter. May take a while (a token tried at its provider). */
  validate?(value: string): true | string | Promise<true | string>;
}

export interface ConfirmRequest {
  key: AskKey;
  message: string;
  /** What helps with the answer: where to look, what is needed; shown above the question. */
  hint?: string;
  /** What Enter means. */
  default: boolean;
  /** The flag that gives this consent without a terminal: `--yes`. */
  flag?: string;
}

export interface ChoiceRequest<T extends string> {
  key: AskKey;
  message: string;
  choices: readonly { value: T; name: string; description?: string }[];
  default?: T;
  flag?: string;
}

/**
 * Whoever answers: a person at a terminal, a script in a test, or nobody. Without a terminal every method throws
 * SetupError E_NO_TERMINAL (exit 2); Ctrl-C at a prompt is SetupError E_CANCELLED (exit 130).
 */
export interface Asker {
  readonly interactive: boolean;
  text(request: TextRequest): Promise<string>;
  secret(request: SecretRequest): Promise<Secret>;
  confirm(request: ConfirmRequest): Promise<boolean>;
  choose<T extends string>(request: ChoiceRequest<T>): Promise<T>;
}
