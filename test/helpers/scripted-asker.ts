import type { Asker } from '../../src/config/asker.js';
import { Secret } from '../../src/config/secret.js';

/** An answer by question key: a value, or `enter` for what Enter gives there. */
export type ScriptedAnswer = string | boolean | typeof enter;
export const enter = Symbol('enter');

export interface ScriptedAsker extends Asker {
  /** Keys in the order in which they were asked. */
  readonly asked: readonly string[];
  /** Throws when answers are left over: a question that the test expected was never put. */
  finish(): void;
}

/** Answers from a script, in order; an unexpected question or an answer that its validation refuses fails the test. */
export function scriptAnswers(
  script: readonly (readonly [key: string, answer: ScriptedAnswer])[],
): ScriptedAsker {
  const left = [...script];
  const asked: string[] = [];
  function next(key: string, message: string): ScriptedAnswer {
    const [expected, answer] = left.shift() ?? [];
    if (expected !== key || answer === undefined) {
      throw new Error(
        `unexpected question "${key}" (${message}); the script expected ${expected ?? 'no more'}`,
      );
    }
    asked.push(key);
    return answer;
  }
  function accept(key: string, verdict: true | string): void {
    if (verdict !== true) throw new Error(`the scripted answer to "${key}" was refused: ${verdict}`);
  }
  return {
    interactive: true,
    asked,
    async text({ key, message, default: preset, validate }) {
      const answer = next(key, message);
      const value = answer === enter ? (preset ?? '') : String(answer);
      accept(key, validate?.(value) ?? true);
      return value;
    },
    async secret({ key, message, validate }) {
      const answer = next(key, message);
      const value = answer === enter ? '' : String(answer);
      accept(key, (await validate?.(value)) ?? true);
      return new Secret(value);
    },
    async confirm({ key, message, default: preset }) {
      const answer = next(key, message);
      return answer === enter ? preset : answer === true;
    },
    async choose({ key, message, choices, default: preset }) {
      const answer = next(key, message);
      const value = answer === enter ? preset : answer;
      const choice = choices.find((candidate) => candidate.value === value);
      if (choice === undefined) throw new Error(`"${key}" has no choice "${String(value)}"`);
      return choice.value;
    },
    finish() {
      if (left.length > 0) throw new Error(`never asked: ${left.map(([key]) => key).join(', ')}`);
    },
  };
}
