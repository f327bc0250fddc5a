import {
  askCredentials,
  type Credentials,
  describeMissingCredentials,
  readCredentials,
  secretsOf,
} from '../config/credentials.js';
import type { Missing } from '../config/wizard.js';
import { readEndpoint } from '../dns/providers/endpoint.js';
import { findProvider, providers } from '../dns/providers/index.js';
import type { DnsProvider, ProviderContext, ProviderDefinition } from '../dns/providers/provider.js';
import type { AuthoritativeResolver } from '../dns/resolver/types.js';
import { Exit, messageOf, SetupError } from '../errors.js';
import type { Env } from '../ui/io.js';
import type { Session } from './session.js';

export interface OpenProvider {
  definition: ProviderDefinition;
  provider: DnsProvider;
  credentials: Credentials;
  /** What the provider said about the credentials. */
  detail: string;
}

/** The definition of a provider id from flag or file. Throws E_DNS_UNKNOWN (exit 2). */
export function requireProvider(id: string): ProviderDefinition {
  const definition = findProvider(id);
  if (definition !== undefined) return definition;
  throw new SetupError({
    code: 'E_DNS_UNKNOWN',
    exit: Exit.usage,
    what: `There is no DNS provider "${id}".`,
    evidence: [`known: ${providers.map((known) => known.id).join(', ')}`],
    fix: ['Give one of these with --dns, or in the configuration.'],
  });
}

/** Credentials that are not in the environment: for the one message about everything that is missing. */
export async function missingCredentials(
  session: Session,
  definition: ProviderDefinition,
): Promise<Missing[]> {
  const { env, files } = session.context;
  const { missing } = await readCredentials(definition, env, files);
  return describeMissingCredentials(definition, missing);
}

/** What a provider that cannot list a zone needs: whom to ask, and for which names beside the usual ones. */
export interface ZoneAccess {
  authoritative: AuthoritativeResolver;
  names: ReadonlySet<string>;
}

/** Opens a provider with credentials from environment, file or prompt; a typed token is tried at once. */
export async function openProvider(
  session: Session,
  definition: ProviderDefinition,
  access: ZoneAccess,
): Promise<OpenProvider> {
  const { env, files, redactor } = session.context;
  const { given, missing } = await readCredentials(definition, env, files);
  for (const secret of secretsOf(definition, given)) redactor.add(secret);
  const credentials =
    missing.length === 0
      ? given
      : await askCredentials(session.asker, definition, given, missing, async (tried) => {
          try {
            await (await open(session, definition, tried, access)).verify();
            return true;
          } catch (error) {
            return messageOf(error);
          }
        });
  const provider = await open(session, definition, credentials, access);
  const { detail } = await provider.verify();
  return { definition, provider, credentials, detail };
}

function open(
  session: Session,
  definition: ProviderDefinition,
  credentials: Credentials,
  { authoritative, names }: ZoneAccess,
): Promise<DnsProvider> {
  return definition.open({
    ...contextFor(session, definition, credentials),
    authoritative,
    names: () => [...names],
  });
}

/** What a provider's API gets of the world: its credentials, its endpoint, and a way to say something. */
export function contextFor(
  session: Session,
  definition: ProviderDefinition,
  credentials: Credentials,
): ProviderContext {
  const { context } = session;
  const baseUrl = readBaseUrl(context.env, definition);
  const fields = Object.entries(credentials);
  for (const secret of secretsOf(definition, credentials)) context.redactor.add(secret);
  return {
    credentials: Object.fromEntries(fields.map(([key, secret]) => [key, secret.reveal()])),
    fetch: globalThis.fetch,
    signal: context.signal,
    // What it waits for may take minutes (Retry-After): nobody should wonder.
    log: (line) => context.io.say(context.redactor.redact(line)),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  };
}

/** Throws E_DNS_ENDPOINT (exit 2). */
function readBaseUrl(env: Env, { baseUrlEnv, title }: ProviderDefinition): string | undefined {
  const text = baseUrlEnv === undefined ? undefined : env[baseUrlEnv]?.trim();
  if (baseUrlEnv === undefined || text === undefined || text === '') return undefined;
  readEndpoint(text, title, `Correct ${baseUrlEnv}, or take it out of the environment; nothing was changed.`);
  return text;
}
