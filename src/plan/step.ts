/** At most three runs make an apply; DNS happens between them, on the client (docs/architecture.md). */
export const runNames = ['install', 'certify', 'golive'] as const;
export type RunName = (typeof runNames)[number];

/** A call of a function of the run library (templates/run/*.sh). Arguments are quoted by the compiler, never by hand. */
export interface Call {
  fn: string;
  args: readonly string[];
}

/** A file that the run stages, validates, swaps and probes as part of its group. */
export interface ManagedFile {
  path: string;
  /** Octal, e.g. `0644`. */
  mode: string;
  /** `user:group`. */
  owner: string;
  content: string;
  /** The component that owns it: validated, swapped and reloaded together. */
  group: string;
}

/** A secret that travels over stdin to the run's tmpfs directory; never part of the plan or the run directory. */
export interface RunSecret {
  /** File name under `$SECRETS`. */
  name: string;
  value: string;
}

export interface ServerStep {
  id: string;
  run: RunName;
  /** Shown as a live line: "Install 14 packages". */
  title: string;
  /** Why the step is in the plan: "not installed", "content differs", … */
  reason: string;
  calls: readonly Call[];
  /**
   * Ids of the steps that it needs done: it then runs beside the others. Without, it waits for all before it, and all
   * after it wait for it. Ids that are not in the run count as done.
   */
  after?: readonly string[];
  /** Its failure is told and does not end the run; only for a step that runs beside others. */
  mayFail?: boolean;
  /** Files this step brings along, for upload and for the diff shown in the plan. */
  files?: readonly ManagedFile[];
  /** Unified diff or other preview lines. */
  preview?: readonly string[];
}

/** Something only the user can do: set the PTR in the VPS provider's panel, … */
export interface ManualStep {
  id: string;
  title: string;
  detail: readonly string[];
}
