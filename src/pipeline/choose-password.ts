import { generatePassword } from '../config/password.js';
import { Secret } from '../config/secret.js';
import { Exit, SetupError } from '../errors.js';
import { readMailboxPassword } from './mailbox-password.js';
import type { Session } from './session.js';

export interface ChosenPassword {
  password: Secret;
  /** Made up here: it has to be shown, once. */
  generated: boolean;
}

const variable = 'SMTP_SETUP_PASSWORD';

/** The password for a login: made up, given, or typed. Throws E_PASSWORD_MISSING and E_PASSWORD_WEAK (exit 2). */
export async function choosePassword(
  session: Session,
  address: string,
  generate: boolean,
): Promise<ChosenPassword> {
  if (generate) return { password: makePassword(session), generated: true };
  if (!session.asker.interactive && !isGiven(session)) {
    throw new SetupError({
      code: 'E_PASSWORD_MISSING',
      exit: Exit.usage,
      what: `There is no password for ${address}, and no terminal to ask for one.`,
      fix: [
        `Give it with --password-file FILE (- for stdin), ${variable} or ${variable}_FILE.`,
        'Or let one be made up: --generate',
      ],
    });
  }
  return readMailboxPassword(session, address);
}

/** Not told to the redactor: it is shown to its owner, and to nobody and nothing else. */
export function makePassword({ context }: Session): Secret {
  return new Secret(generatePassword(context.randomBytes));
}

function isGiven({ context, answers }: Session): boolean {
  const { env } = context;
  return Boolean(answers.passwordFile !== undefined || env[variable] || env[`${variable}_FILE`]);
}
