import type { AnyAuthMethod } from 'ssh2';
import { messageOf, SetupError } from '../errors.js';
import { agentOfOne } from './agent.js';
import { expiredPassword } from './failures.js';
import type { KeyCandidate } from './identities.js';
import type { LoginMemory } from './login-memory.js';
import { readableLines } from './printable.js';
import type { SshPrompts } from './prompts.js';

/** One connection's share of the attempts. */
export interface AuthStage {
  keys: readonly KeyCandidate[];
  /** Password and keyboard-interactive are tried as well. */
  interactive: boolean;
}

/** What was tried and learnt; grows while stages go by. */
export interface AuthRecord {
  tried: string[];
  /** Methods the server offers, from its last answer. */
  methods: string[];
  notes: string[];
}

export interface AuthRequest {
  user: string;
  host: string;
  port: number;
  stage: AuthStage;
  record: AuthRecord;
  memory: LoginMemory;
  prompts?: Partial<SshPrompts>;
  /** Holds the login timer while a person thinks. */
  pause<T>(question: () => Promise<T>): Promise<T>;
}

// A server allows six failures (MaxAuthTries), and newer ones punish the address for many.
const KEYS_PER_CONNECTION = 4;
const MOST_CONNECTIONS = 3;
const PASSWORD_TRIES = 2;

/** Divides the keys over connections so that no server says "too many authentication failures". */
export function planStages(keys: readonly KeyCandidate[], interactive: boolean): AuthStage[] {
  const stages: AuthStage[] = [];
  for (let at = 0; at < keys.length && stages.length < MOST_CONNECTIONS; at += KEYS_PER_CONNECTION) {
    stages.push({ keys: keys.slice(at, at + KEYS_PER_CONNECTION), interactive: false });
  }
  const last = stages.at(-1);
  if (!interactive) return last ? stages : [{ keys: [], interactive: false }];
  if (last && last.keys.length <= 2) last.interactive = true;
  else stages.push({ keys: [], interactive: true });
  return stages;
}

export type AuthHandler = (
  methodsLeft: readonly string[] | null,
  partialSuccess: boolean | null,
  next: (method: AnyAuthMethod | false) => void,
) => void;

/** Drives ssh2 through one stage: none (to learn the methods), the keys one by one, then the person. */
export function createAuthHandler(request: AuthRequest, fail: (error: unknown) => void): AuthHandler {
  const { user, stage, record } = request;
  const attempts = listAttempts(request, fail);
  let asked = false;
  /** A signature was made: if the server still wants more, a second factor is due. */
  let signed = false;
  return (methodsLeft, partialSuccess, next) => {
    if (methodsLeft) record.methods = [...methodsLeft];
    if (!asked) {
      asked = true;
      next({ type: 'none', username: user });
      return;
    }
    const secondFactor = signed || partialSuccess === true;
    void (async () => {
      for (;;) {
        const attempt = attempts.shift();
        if (!attempt) return next(false);
        if (attempt.kind === 'key') {
          if (secondFactor || !record.methods.includes('publickey')) continue;
          record.tried.push(attempt.key.label);
          const agent = agentOfOne(attempt.key.publicKey, async (data, hash) => {
            try {
              const signature = await request.pause(() => attempt.key.sign(data, hash));
              signed = true;
              return signature;
            } catch (error) {
              if (error instanceof SetupError) fail(error);
              else record.notes.push(`${attempt.key.label} could not sign: ${messageOf(error)}`);
              throw error;
            }
          });
          return next({ type: 'agent', username: user, agent });
        }
        if (!stage.interactive && !secondFactor) continue;
        // After an agent's partial success ssh2 does not pass on the new list of methods, so the old one cannot rule.
        if (!secondFactor && !record.methods.includes(attempt.kind)) continue;
        const method = await attempt.make();
        if (method) return next(method);
      }
    })().catch(fail);
  };
}

type Attempt =
  | { kind: 'key'; key: KeyCandidate }
  | { kind: 'password' | 'keyboard-interactive'; make(): Promise<AnyAuthMethod | undefined> };

function listAttempts(request: AuthRequest, fail: (error: unknown) => void): Attempt[] {
  const keys: Attempt[] = request.stage.keys.map((key) => ({ kind: 'key', key }));
  const ask = createPasswordSource(request);
  const interactive: Attempt = {
    kind: 'keyboard-interactive',
    make: async () => ({
      type: 'keyboard-interactive',
      username: request.user,
      prompt: (_name, _instructions, _lang, prompts, finish) => {
        answerPrompts(request, ask, prompts).then(finish, (error: unknown) => {
          if (error instanceof SetupError) return fail(error);
          request.record.notes.push(messageOf(error));
          finish([]);
        });
      },
    }),
  };
  const password: Attempt = {
    kind: 'password',
    make: async () => {
      const text = await ask();
      if (text === undefined) return undefined;
      request.record.tried.push('password');
      return { type: 'password', username: request.user, password: text };
    },
  };
  return [...keys, ...Array.from({ length: PASSWORD_TRIES }, () => password), interactive];
}

/** Hands out the remembered password first, then asks. */
function createPasswordSource(request: AuthRequest): () => Promise<string | undefined> {
  const key = `${request.user}@${request.host}:${request.port}`;
  let remembered = request.memory.passwords.get(key);
  return async () => {
    if (remembered !== undefined) {
      const first = remembered;
      remembered = undefined;
      return first;
    }
    const ask = request.prompts?.password;
    if (!ask) return undefined;
    const answer = await request.pause(() => ask(request.user, request.host));
    if (answer === undefined) request.memory.passwords.delete(key);
    else request.memory.passwords.set(key, answer);
    return answer;
  };
}

async function answerPrompts(
  request: AuthRequest,
  ask: () => Promise<string | undefined>,
  prompts: readonly { prompt: string; echo?: boolean | undefined }[],
): Promise<string[]> {
  const answers: string[] = [];
  const asksForNew = prompts.some(({ prompt }) =>
    /new (unix )?password|current\) (unix )?password/i.test(prompt),
  );
  if (asksForNew) throw expiredPassword(request.user, request.host);
  for (const { prompt, echo } of prompts) {
    const text = readableLines(prompt).join(' ');
    const answer =
      !echo && /password/i.test(text)
        ? await ask()
        : await request.prompts?.question?.(request.host, text, echo === true);
    if (answer === undefined) throw new Error(`the server asked "${text}", and there was no answer`);
    answers.push(answer);
  }
  request.record.tried.push('keyboard-interactive');
  return answers;
}
