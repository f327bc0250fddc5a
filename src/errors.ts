/** Exit codes: a contract with scripts, documented in `--help`. */
export const Exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  inconclusive: 3,
  pending: 4,
  unsuitable: 5,
  busy: 6,
  cancelled: 130,
} as const;
export type ExitCode = (typeof Exit)[keyof typeof Exit];

export interface ErrorDetails {
  /** Stable identifier such as `E_HOST_KEY_CHANGED`; tests and JSON consumers match on it. */
  code: string;
  exit: ExitCode;
  /** What happened, in one sentence. */
  what: string;
  /** What was seen: one fact a line (a remote line, a record found, a file and line number). */
  evidence?: readonly string[];
  /** What to do: one action a line. */
  fix?: readonly string[];
  cause?: unknown;
}

/** The one error type that users meet. Anything else that reaches `main` is a bug of ours. */
export class SetupError extends Error {
  readonly code: string;
  readonly exit: ExitCode;
  readonly evidence: readonly string[];
  readonly fix: readonly string[];

  constructor(details: ErrorDetails) {
    super(details.what, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SetupError';
    this.code = details.code;
    this.exit = details.exit;
    this.evidence = details.evidence ?? [];
    this.fix = details.fix ?? [];
  }
}

/** For `catch (error: unknown)`: the message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
