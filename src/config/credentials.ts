import type { CredentialField, ProviderDefinition } from '../dns/providers/provider.js';
import type { Asker } from './asker.js';
import type { GivenFiles } from './given-files.js';
import { readSecret } from './read-secret.js';
import { Secret } from './secret.js';
import { type Missing, missingError } from './wizard.js';

/** Credentials by field key. */
export type Credentials = Readonly<Record<string, Secret>>;

type Definition = Pick<
  ProviderDefinition,
  'id' | 'title' | 'credentials' | 'tokenUrl' | 'rights' | 'profile'
>;

/**
 * What of a provider's credentials stands in the environment (`NAME` or `NAME_FILE`), else in the profile that the
 * environment names, and what is missing.
 */
export async function readCredentials(
  definition: Definition,
  env: Readonly<Record<string, string | undefined>>,
  files: GivenFiles,
): Promise<{ given: Credentials; missing: readonly CredentialField[] }> {
  const given: Record<string, Secret> = {};
  const missing: CredentialField[] = [];
  for (const field of definition.credentials) {
    const secret = await readSecret({ env, names: field.env, files });
    if (secret !== undefined) given[field.key] = secret;
    else if (field.optional !== true) missing.push(field);
  }
  if (missing.length === 0) return { given, missing };
  const profile = (await definition.profile?.read(env)) ?? {};
  const required = definition.credentials.filter(({ optional }) => optional !== true);
  if (required.some(({ key }) => profile[key] === undefined)) return { given, missing };
  // Halves of two logins make none.
  for (const { key, secret } of definition.credentials) if (secret) delete given[key];
  for (const [key, value] of Object.entries(profile)) given[key] = new Secret(value);
  return { given, missing: [] };
}

/** Those that must never be shown; an address or a name among them may stand in every other line of a report. */
export function secretsOf(
  { credentials: fields }: Pick<Definition, 'credentials'>,
  credentials: Credentials,
): Secret[] {
  return fields.flatMap(({ key, secret }) => {
    const value = credentials[key];
    return secret && value !== undefined ? [value] : [];
  });
}

/** The missing fields for the one message that lists everything. */
export function describeMissingCredentials(
  definition: Definition,
  fields: readonly CredentialField[],
): Missing[] {
  return fields.map(({ label, env }) => ({
    what: `${definition.title}: ${label} (${definition.rights}; made at ${definition.tokenUrl})`,
    ways: [...env.flatMap((name) => [name, `${name}_FILE`]), ...(definition.profile?.ways ?? [])],
  }));
}

/**
 * Asks for the missing fields; with nobody to ask, throws E_MISSING (exit 2) about all of them. `tryOut` gets all credentials with each new one and says what is wrong with them, so that
 * a mistyped token is asked for again at once.
 */
export async function askCredentials(
  asker: Asker,
  definition: Definition,
  given: Credentials,
  missing: readonly CredentialField[],
  tryOut: (credentials: Credentials) => Promise<true | string>,
): Promise<Credentials> {
  if (!asker.interactive && missing.length > 0)
    throw missingError(describeMissingCredentials(definition, missing));
  const credentials: Record<string, Secret> = { ...given };
  for (const [index, field] of missing.entries()) {
    const isLast = index === missing.length - 1;
    credentials[field.key] = await askField(asker, definition, field, async (secret) =>
      isLast ? await tryOut({ ...credentials, [field.key]: secret }) : true,
    );
  }
  return credentials;
}

async function askField(
  asker: Asker,
  definition: Definition,
  field: CredentialField,
  tryOut: (secret: Secret) => Promise<true | string>,
): Promise<Secret> {
  const key = `credential.${field.key}`;
  const hint = `${(field.help ?? definition.rights).replace(/\.?$/, '.')} Made at ${definition.tokenUrl}`;
  const message = `${field.label}?`;
  const validate = async (value: string): Promise<true | string> => {
    return value.trim() === ''
      ? 'It is needed to write the DNS records.'
      : await tryOut(new Secret(value.trim()));
  };
  // What is no secret is typed in the open.
  if (field.secret) return new Secret((await asker.secret({ key, message, hint, validate })).reveal().trim());
  return new Secret((await asker.text({ key, message, hint })).trim());
}
