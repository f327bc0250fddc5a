import type { Secret } from './secret.js';

/** Shorter values would blot out ordinary words; nothing that short is accepted as a secret. */
const minLength = 6;

/** Knows the secrets of this run and takes them out of text on its way to a log, a report or an error. */
export interface Redactor {
  add(secret: Secret): void;
  redact(text: string): string;
}

/** A redactor that also finds a secret in the forms in which programs and protocols repeat it. */
export function createRedactor(): Redactor {
  const forms = new Set<string>();
  let pattern: RegExp | undefined;
  return {
    add(secret) {
      const value = secret.reveal();
      // A key file shows up line by line in a log.
      for (const part of new Set([value, ...value.split(/\r?\n/)])) {
        if (part.length >= minLength) for (const form of writtenForms(part)) forms.add(form);
      }
      pattern = undefined;
    },
    redact(text) {
      if (forms.size === 0) return text;
      // Longest first: a form that holds another must go as a whole.
      pattern ??= new RegExp(
        [...forms]
          .sort((a, b) => b.length - a.length)
          .map(escapeRegExp)
          .join('|'),
        'g',
      );
      return text.replace(pattern, '[hidden]');
    },
  };
}

function writtenForms(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  return [
    value,
    encodeURIComponent(value),
    encodeURIComponent(value).replace(/%20/g, '+'),
    JSON.stringify(value).slice(1, -1),
    `'${value.replaceAll("'", "'\\''")}'`.slice(1, -1),
    bytes.toString('hex'),
    ...base64Cores(bytes),
  ].filter((form) => form.length >= minLength);
}

/**
 * The characters of base64 that depend on the secret alone, for each of the three positions at which it can begin
 * inside a longer text (SASL PLAIN puts NUL, user and NUL before the password).
 */
function base64Cores(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const start = Math.ceil((offset * 8) / 6);
    const end = Math.floor(((offset + bytes.length) * 8) / 6);
    const core = encoded.slice(start, end);
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
