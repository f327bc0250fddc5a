import { Exit, SetupError } from '../../errors.js';
import { sanitizeLine } from '../../lib/sanitize.js';

/**
 * The address of an API, from a variable or a prompt. It is shown and stands in errors, so nothing secret may be in it.
 * Throws E_DNS_ENDPOINT (exit 2) for what is no plain http or https URL; `title` completes "The address of the … API".
 */
export function readEndpoint(text: string, title: string, fix: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const problem = url === undefined ? 'it is no URL' : findProblem(url);
  if (url !== undefined && problem === undefined) return url;
  throw new SetupError({
    code: 'E_DNS_ENDPOINT',
    exit: Exit.usage,
    what: `The address of the ${title} API is not a plain http or https URL.`,
    // A password may stand before any "@", however badly the rest is written, and a key behind any "?".
    evidence: [/[@?#]/.test(text) ? `${problem} (not shown)` : `${problem}: ${sanitizeLine(text, 200)}`],
    fix: [fix],
  });
}

function findProblem(url: URL): string | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'it is neither http nor https';
  if (url.username !== '' || url.password !== '') return 'it holds a user name or a password';
  if (url.search !== '' || url.hash !== '') return 'something follows its path';
  return undefined;
}
