import { noRightToWrite } from '../apply/dns-lane.js';
import { Exit, SetupError } from '../errors.js';
import type { FullPlan } from './make-plan.js';

/** A token that turns out to be no good: before anything was touched it is a matter of credentials, after it of going on. */
export function explainRefusal<E>(error: E, plan: Pick<FullPlan, 'zones'>, touched: boolean): E | SetupError {
  if (!(error instanceof SetupError)) return error;
  if (touched && error.exit === Exit.usage) {
    return new SetupError({
      code: error.code,
      exit: Exit.failed,
      what: error.message,
      evidence: error.evidence,
      fix: [...error.fix, 'Then run smtp-setup apply again: it goes on from here.'],
      cause: error,
    });
  }
  if (touched || error.cause !== noRightToWrite) return error;
  const [zone] = plan.zones;
  return new SetupError({
    code: 'E_DNS_TOKEN',
    exit: Exit.usage,
    what: 'The token may read the zone, but not write to it; nothing was changed.',
    evidence: error.evidence,
    fix: zone === undefined ? [] : [`The token needs ${zone.survey.open.definition.rights}.`],
    cause: error,
  });
}

/** How an apply ends that came to its end; `refusal` is why its result could not be read. */
export function leftError(
  { unfinished, byHand }: { unfinished: readonly string[]; byHand: readonly string[] },
  refusal?: SetupError,
): SetupError | undefined {
  if (refusal?.exit === Exit.cancelled) return refusal;
  if (unfinished.length > 0)
    return unfinishedError([...unfinished, ...byHand, ...(refusal ? [refusal.message] : [])]);
  return refusal ?? (byHand.length > 0 ? pendingError(byHand) : undefined);
}

/** Ends an apply whose records somebody has to enter first. */
function pendingError(byHand: readonly string[]): SetupError {
  return new SetupError({
    code: 'E_DNS_PENDING',
    exit: Exit.pending,
    what: 'The server is safe as it stands; these records are for you to enter at your DNS provider.',
    evidence: byHand,
    fix: [
      'Enter them as shown above; smtp-setup plan shows them again, and with --json as data.',
      'Then run smtp-setup apply again: it goes on from here.',
      'Once all are entered, smtp-setup check dns --wait follows until they are live.',
    ],
  });
}

/** Ends an apply that could not finish everything: what stands is safe, the next apply goes on. */
function unfinishedError(unfinished: readonly string[]): SetupError {
  return new SetupError({
    code: 'E_UNFINISHED',
    exit: Exit.failed,
    what: 'The server is safe as it stands, but not everything is done.',
    evidence: unfinished,
    fix: ['Run smtp-setup apply again when the cause is gone: it goes on from here.'],
  });
}
