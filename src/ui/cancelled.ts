import { Exit, SetupError } from '../errors.js';

/** The error of Ctrl-C. `what` is the one line that is shown. */
export function cancelledError(cause?: unknown, what = 'Cancelled.'): SetupError {
  return new SetupError({ code: 'E_CANCELLED', exit: Exit.cancelled, what, cause });
}
