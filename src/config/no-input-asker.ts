import { Exit, SetupError } from '../errors.js';
import type { Asker } from './asker.js';

/** For scripts and CI: asks nothing; every question it is handed is an error that names the flag to give. */
export const noInputAsker: Asker = {
  interactive: false,
  text: ({ message, key }) => refuse(message, key),
  secret: ({ message, key }) => refuse(message, key),
  confirm: ({ message, key, flag }) => refuse(message, key, flag),
  choose: ({ message, key, flag }) => refuse(message, key, flag),
};

async function refuse(message: string, key: string, flag?: string): Promise<never> {
  throw new SetupError({
    code: 'E_NO_TERMINAL',
    exit: Exit.usage,
    what: 'There is a question, but no terminal to ask it at.',
    evidence: [message],
    fix: [
      flag === undefined
        ? `Run the same command in a terminal (${key}).`
        : `Give ${flag} to answer it beforehand.`,
    ],
  });
}
