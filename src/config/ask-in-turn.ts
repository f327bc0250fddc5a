import { createTurns } from '../lib/turns.js';
import type { Asker } from './asker.js';

/** Several servers may have a question at the same time; a terminal holds one prompt. */
export function askInTurn(asker: Asker): Asker {
  const inTurn = createTurns();
  return {
    interactive: asker.interactive,
    text: (request) => inTurn(() => asker.text(request)),
    secret: (request) => inTurn(() => asker.secret(request)),
    confirm: (request) => inTurn(() => asker.confirm(request)),
    choose: (request) => inTurn(() => asker.choose(request)),
  };
}
