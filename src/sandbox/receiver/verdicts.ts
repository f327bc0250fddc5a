import type { StoredMessage } from './message.js';

export interface Verdicts {
  /** Results as RFC 8601 names them: pass, fail, softfail, neutral, none, temperror, permerror. */
  spf: string;
  /** `pass` when any signature passes, else the first one's result. */
  dkim: string;
  /** Every signature with the domain (d=) that made it. */
  signatures: readonly { result: string; domain: string; selector: string }[];
  dmarc: string;
  /** Forward-confirmed reverse DNS (RFC 8601 section 2.7.3). */
  iprev: string;
  /** `TLSv1.3` and the like; undefined when the message came in the clear. */
  tls?: string;
  /** The domain asked for quarantine, and the message was delivered as junk. */
  quarantined: boolean;
}

interface Result {
  method: string;
  result: string;
  properties: ReadonlyMap<string, string>;
}

/**
 * What the receiver found about a message, from its own Authentication-Results field, which is the topmost one; any
 * other is the sender's word. Methods that are not in it are `none`.
 */
export function readVerdicts(message: StoredMessage, authservId: string): Verdicts {
  const fields = message.headers.filter((header) => header.name === 'authentication-results');
  const parsed = parseAuthenticationResults(fields[0]?.value ?? '');
  const results = parsed.authservId === authservId ? parsed.results : [];
  const resultOf = (method: string): string =>
    results.find((result) => result.method === method)?.result ?? 'none';
  const signatures = results
    .filter((result) => result.method === 'dkim' && result.result !== 'none')
    .map(({ result, properties }) => ({
      result,
      domain: properties.get('header.d') ?? '',
      selector: properties.get('header.s') ?? '',
    }));
  const tls = results.find((result) => result.method === 'x-tls')?.properties.get('policy.tls');
  return {
    spf: resultOf('spf'),
    dkim: signatures.some(({ result }) => result === 'pass') ? 'pass' : (signatures[0]?.result ?? 'none'),
    signatures,
    dmarc: resultOf('dmarc'),
    iprev: resultOf('iprev'),
    ...(tls === undefined ? {} : { tls }),
    quarantined: message.headers.some(({ name }) => name === 'x-quarantine'),
  };
}

/** The grammar of RFC 8601 section 2.2, without its rarer white space. */
export function parseAuthenticationResults(value: string): { authservId: string; results: Result[] } {
  const [first = '', ...rest] = splitOutsideQuotes(dropComments(value), ';');
  const results = rest.flatMap((part) => {
    const pairs = splitOutsideQuotes(part.trim(), ' ').flatMap((token) => {
      const equals = token.indexOf('=');
      if (equals < 1) return [];
      return [[token.slice(0, equals).toLowerCase(), unquote(token.slice(equals + 1))] as const];
    });
    const [head, ...properties] = pairs;
    return head ? [{ method: head[0], result: head[1], properties: new Map(properties) }] : [];
  });
  return { authservId: first.trim().split(' ')[0] ?? '', results };
}

/** Comments nest and may hold quotes and semicolons (RFC 5322 section 3.2.2). */
function dropComments(text: string): string {
  let depth = 0;
  let quoted = false;
  let kept = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '\\') {
      if (depth === 0) kept += text.slice(at, at + 2);
      at += 1;
    } else if (depth === 0 && character === '"') {
      quoted = !quoted;
      kept += character;
    } else if (!quoted && character === '(') {
      depth += 1;
    } else if (!quoted && character === ')' && depth > 0) {
      depth -= 1;
    } else if (depth === 0) {
      kept += character;
    }
  }
  return kept;
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts = [''];
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (character === '\\') {
      parts[parts.length - 1] += text.slice(at, at + 2);
      at += 1;
      continue;
    }
    if (character === '"') quoted = !quoted;
    if (character === separator && !quoted) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function unquote(text: string): string {
  return text.startsWith('"') ? text.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1') : text;
}
