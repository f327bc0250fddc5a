import { expect, it } from 'vitest';
import { askInTurn } from '../../../src/config/ask-in-turn.js';
import type { Asker } from '../../../src/config/asker.js';
import { scriptAnswers } from '../../helpers/scripted-asker.js';

it('puts a question only when the one before is answered', async () => {
  const seen: string[] = [];
  const slow: Asker = {
    ...scriptAnswers([]),
    interactive: true,
    async text({ key }) {
      seen.push(`${key}?`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${key}!`);
      return key;
    },
  };
  const asker = askInTurn(slow);
  const ask = (key: string) => asker.text({ key, message: key });
  expect(await Promise.all([ask('a'), ask('b')])).toEqual(['a', 'b']);
  expect(seen).toEqual(['a?', 'a!', 'b?', 'b!']);
});
