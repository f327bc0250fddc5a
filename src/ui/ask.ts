import inquirer from 'inquirer';
import type { Asker, ChoiceRequest, ConfirmRequest, SecretRequest, TextRequest } from '../config/asker.js';
import { Secret } from '../config/secret.js';
import { cancelledError } from './cancelled.js';
import { createStyle } from './colors.js';
import type { Io } from './io.js';
import { wrapText } from './text.js';

/** Asks the person at the terminal; prompts go to stderr, so that stdout stays clean. */
export function createPromptAsker(io: Io, signal: AbortSignal): Asker {
  const prompt = inquirer.createPromptModule({ input: io.stdin, output: io.err.stream, signal });
  const style = createStyle(io.err);
  const showHint = (hint: string | undefined): void => {
    if (hint !== undefined) io.say(style.chalk.dim(wrapText(hint, io.err.width, '  ').join('\n')));
  };
  return {
    interactive: true,
    async text({ message, hint, default: preset, validate }: TextRequest) {
      showHint(hint);
      const answer = await orCancelled(
        prompt<{ value: string }>([
          {
            type: 'input',
            name: 'value',
            message,
            ...(preset === undefined ? {} : { default: preset }),
            validate: (value: string) => validate?.(value) ?? true,
          },
        ]),
      );
      return answer.value;
    },
    async secret({ message, hint, validate }: SecretRequest) {
      showHint(hint);
      for (;;) {
        const { value } = await orCancelled(
          prompt<{ value: string }>([
            { type: 'password', name: 'value', message, mask: '*', toggleMask: false },
          ]),
        );
        const verdict = (await validate?.(value)) ?? true;
        if (verdict === true) return new Secret(value);
        // Asked anew and not by the prompt itself: that keeps the refused value, unseen, and a second paste joins it.
        io.say(`${style.mark.fail} ${verdict}`);
      }
    },
    async confirm({ message, hint, default: preset }: ConfirmRequest) {
      showHint(hint);
      const answer = await orCancelled(
        prompt<{ value: boolean }>([{ type: 'confirm', name: 'value', message, default: preset }]),
      );
      return answer.value;
    },
    async choose<T extends string>({ message, choices, default: preset }: ChoiceRequest<T>) {
      const answer = await orCancelled(
        prompt<{ value: string }>([
          {
            type: 'select',
            name: 'value',
            message,
            choices: choices.map((choice) => ({ ...choice })),
            // All of it at a glance; inquirer's own page has seven lines.
            pageSize: Math.min(choices.length, 15),
            ...(preset === undefined ? {} : { default: preset }),
          },
        ]),
      );
      const choice = choices.find(({ value }) => value === answer.value);
      if (choice === undefined) throw new Error(`the prompt returned "${answer.value}", which was no choice`);
      return choice.value;
    },
  };
}

async function orCancelled<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && /^(ExitPromptError|AbortPromptError)$/.test(error.name))
      throw cancelledError(error);
    throw error;
  }
}
