/** What a remote server's answer means, and what to do about it. */
export interface Explanation {
  id: string;
  /** In a few words. */
  title: string;
  meaning: string;
  todo: readonly string[];
}

export interface AnswerRule extends Explanation {
  match: RegExp;
}

export const waits = 'Wait: Postfix tries again by itself.';
