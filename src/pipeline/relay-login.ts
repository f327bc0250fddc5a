import { namedByFlag, readSecret } from '../config/read-secret.js';
import type { Secret } from '../config/secret.js';
import { parseRelayUser } from '../config/validate.js';
import type { Missing } from '../config/wizard.js';
import { missingError } from '../config/wizard.js';
import { Exit, SetupError } from '../errors.js';
import type { RelayLogin } from '../plan/plan-relay-logins.js';
import type { Relay } from '../relay/choose-relay.js';
import type { Session } from './session.js';

const variable = 'SMTP_SETUP_RELAY_PASSWORD';

/** The login for a relay, given or typed. Throws E_MISSING, E_RELAY_PASSWORD (exit 2). */
export async function readRelayLogin(session: Session, relay: Relay): Promise<RelayLogin> {
  const { asker, context } = session;
  const given = await givenPassword(session);
  const known = knownUser(session, relay);
  const missing: Missing[] = [];
  if (known === undefined && !relay.login.userIsPassword && !asker.interactive)
    missing.push({
      what: `user name at ${relay.title}`,
      ways: ['--relay-user USER', 'SMTP_SETUP_RELAY_USER'],
    });
  if (given === undefined && !asker.interactive)
    missing.push({
      what: `password at ${relay.title}`,
      ways: ['--relay-password-file FILE', variable, `${variable}_FILE`],
    });
  if (missing.length > 0) throw missingError(missing);
  const user = known ?? (relay.login.userIsPassword ? undefined : await askUser(session, relay));
  const password = given ?? (await askPassword(session, relay));
  context.redactor.add(password);
  const fault = faultOf(password.reveal());
  if (fault !== undefined) throw unusable(relay, fault);
  return { user: user ?? password.reveal(), password };
}

function givenPassword({ context, answers }: Session): Promise<Secret | undefined> {
  return readSecret({
    env: context.env,
    names: [variable],
    files: context.files,
    file: namedByFlag(answers.relayPasswordFile),
  });
}

function knownUser({ answers }: Session, { login }: Relay): string | undefined {
  return answers.relayUser?.value ?? login.fixedUser;
}

function askUser({ asker }: Session, { title, login }: Relay): Promise<string> {
  return asker.text({
    key: 'relayUser',
    message: `User name at ${title}?`,
    hint: login.user,
    validate: (value) => {
      const parsed = parseRelayUser(value);
      return parsed.ok ? true : parsed.problem;
    },
  });
}

function askPassword({ asker }: Session, { title, login }: Relay): Promise<Secret> {
  return asker.secret({
    key: 'relayPassword',
    message: `Password at ${title}?`,
    hint: login.password,
    validate: (value) => faultOf(value) ?? true,
  });
}

/** Postfix takes one line, and what stands at its end is trimmed. */
function faultOf(password: string): string | undefined {
  if (password === '') return 'Nothing was given.';
  if (/[\r\n\0]/.test(password)) return 'It has more than one line.';
  if (/\s$/.test(password)) return 'It ends with a blank, which gets lost on the way.';
  return password.length > 2000 ? 'It has more than 2,000 characters.' : undefined;
}

function unusable({ title }: Relay, fault: string): SetupError {
  return new SetupError({
    code: 'E_RELAY_PASSWORD',
    exit: Exit.usage,
    what: `The password for ${title} cannot be used.`,
    evidence: [fault],
    fix: ['Copy it again from the provider; nothing was changed.'],
  });
}
