import type { Answers } from '../config/answers.js';
import { findPasswordFault, generatePassword } from '../config/password.js';
import { namedByFlag, readSecret } from '../config/read-secret.js';
import { Secret } from '../config/secret.js';
import type { Missing } from '../config/wizard.js';
import { Exit, SetupError } from '../errors.js';
import type { WantedMailbox } from '../plan/plan-mailboxes.js';
import type { Session } from './session.js';

export interface MailboxAnswer extends WantedMailbox {
  /** Made up here: it has to be shown, once. */
  generated: boolean;
}

const variable = 'SMTP_SETUP_PASSWORD';

/** A mailbox is wanted, nobody can be asked, and no password is given. */
export async function missingPassword({ context, loaded }: Session, answers: Answers): Promise<Missing[]> {
  if (answers.mailbox === undefined && loaded !== undefined) return [];
  if (answers.passwordFile !== undefined) return [];
  if (context.env[variable] || context.env[`${variable}_FILE`]) return [];
  return [{ what: "the mailbox's password", ways: ['--password-file FILE', variable, `${variable}_FILE`] }];
}

/**
 * The password of a new mailbox: given, typed, or made up on Enter. Nobody is asked for that of a mailbox which `exists`.
 * Throws E_PASSWORD_WEAK (exit 2).
 */
export async function readMailboxPassword(
  session: Session,
  address: string,
  { exists = false } = {},
): Promise<MailboxAnswer> {
  const { context, answers, asker } = session;
  const given = await readSecret({
    env: context.env,
    names: [variable],
    files: context.files,
    file: namedByFlag(answers.passwordFile),
  });
  if (given !== undefined) {
    context.redactor.add(given);
    const fault = findPasswordFault(given.reveal(), address);
    if (fault === undefined) return { address, password: given, generated: false };
    throw new SetupError({
      code: 'E_PASSWORD_WEAK',
      exit: Exit.usage,
      what: `The password for ${address} cannot be used.`,
      evidence: [fault],
      fix: ['Give another one; nothing was changed.'],
    });
  }
  const typed = exists
    ? undefined
    : await asker.secret({
        key: 'password',
        message: `Password for ${address}? (Enter makes one up and shows it at the end)`,
        validate: (value) => (value === '' ? true : (findPasswordFault(value, address) ?? true)),
      });
  const generated = typed === undefined || typed.reveal() === '';
  const password = generated ? new Secret(generatePassword(context.randomBytes)) : typed;
  context.redactor.add(password);
  return { address, password, generated };
}
