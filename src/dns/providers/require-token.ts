import { Exit, SetupError } from '../../errors.js';

/**
 * The token, or E_DNS_TOKEN (exit 2) before any request when it cannot stand in an HTTP header: something else was
 * pasted, or not all of it. Its length and letters are the provider's to judge: formats change over the years.
 */
export function requireToken(title: string, token: string | undefined, fix: readonly string[]): string {
  if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new SetupError({
    code: 'E_DNS_TOKEN',
    exit: Exit.usage,
    what: `The ${title} API token is empty, or has characters that no token has.`,
    evidence: ['A token is one word of ASCII letters, digits and signs.'],
    fix,
  });
}
