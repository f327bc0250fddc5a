import type { Call, ManagedFile, RunName } from '../plan/step.js';
import type { ServerModel } from './model.js';

/** A systemd unit that must be enabled and running, and how a change of its files reaches it. */
export interface UnitSpec {
  name: string;
  onChange: 'reload' | 'restart';
}

/** A step beside packages, files and units: a key to make, a certificate to get. Looks first, skips itself when done. */
export interface ExtraStep {
  id: string;
  run: RunName;
  /** `keys` before the files are rendered in place, `files` after them, `services` after the units run. */
  after: 'packages' | 'files' | 'services';
  title: string;
  reason: string;
  calls: readonly Call[];
}

/** One server component: data in, desired state out. Pure. */
export interface Component {
  id: string;
  title: string;
  /** Ids of components that must be configured before this one. */
  needs: readonly string[];
  /**
   * Ids of components that it works with: it is configured beside them, and its probes say with `await_proof` from where
   * on they have to be done.
   */
  provenWith?: readonly string[];
  /**
   * Its packages, and those of what it needs, are installed before the others', and its steps run beside the rest of the
   * installation: for what takes long to start, or waits for somebody. 1 comes first.
   */
  early?: 1 | 2 | 3;
  applies(model: ServerModel): boolean;
  packages(model: ServerModel): readonly string[];
  files(model: ServerModel): readonly ManagedFile[];
  units(model: ServerModel): readonly UnitSpec[];
  /** Every unit file that `units` may name one of (`postfix@.service` for an instance): facts ask systemd about these. */
  unitFiles?: readonly string[];
  /** TCP ports it listens on towards the world. */
  ports(model: ServerModel): readonly number[];
  /** Literal paths or shell globs of every file this component may manage; facts hash what is there. */
  watch: readonly string[];
  /** Library calls that check the staged set (`$STAGE` holds the tree) with the daemon's own checker. */
  validate(model: ServerModel): readonly Call[];
  /** Library calls that prove the running daemon works with the new set. */
  probe(model: ServerModel): readonly Call[];
  /** Steps that are still needed, judged by the model's facts. */
  steps(model: ServerModel): readonly ExtraStep[];
}
