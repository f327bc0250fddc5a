/** One piece of a macro-string (RFC 7208 7.1). */
export type MacroToken =
  | { kind: 'text'; text: string }
  | {
      kind: 'macro';
      letter: MacroLetter;
      /** Upper-case letter: the value is URL-escaped. */
      escape: boolean;
      /** Right-hand parts to keep; 0 keeps all. */
      keep: number;
      reverse: boolean;
      delimiters: string;
    };

export type MacroLetter = 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'h' | 'c' | 'r' | 't' | 'v';
export type MacroValues = (letter: MacroLetter) => string | Promise<string>;

export type MacroParse =
  | {
      ok: true;
      tokens: readonly MacroToken[];
      /** The last element is a macro-expand (`%{…}`, `%%`, `%_`, `%-`), which may end a domain-spec. */
      endsExpanded: boolean;
    }
  | { ok: false; message: string };

const macro = /^%\{([slodiphcrtv])(\d*)(r?)([.\-+,/_=]*)\}/i;
const expLetters = new Set<MacroLetter>(['c', 'r', 't']);

/**
 * Reads a macro-string. `explanation` allows spaces and the letters c, r, t, which RFC 7208 7.2 keeps to the
 * text that `exp=` points to.
 */
export function parseMacroString(text: string, explanation = false): MacroParse {
  const tokens: MacroToken[] = [];
  let literal = '';
  let at = 0;
  let endsExpanded = false;
  const flush = () => {
    if (literal !== '') tokens.push({ kind: 'text', text: literal });
    literal = '';
  };
  while (at < text.length) {
    const char = text[at] ?? '';
    if (char !== '%') {
      const visible = char >= '!' && char <= '~';
      if (!visible && !(explanation && char === ' '))
        return { ok: false, message: `character ${describe(char)} is not allowed` };
      literal += char;
      endsExpanded = false;
      at += 1;
      continue;
    }
    endsExpanded = true;
    const written = escapes[text[at + 1] ?? ''];
    if (written !== undefined) {
      literal += written;
      at += 2;
      continue;
    }
    const found = macro.exec(text.slice(at, at + 200));
    if (!found) return { ok: false, message: `"${text.slice(at, at + 12)}" is not a valid macro` };
    const letter = (found[1] ?? '').toLowerCase() as MacroLetter;
    const digits = found[2] ?? '';
    if (digits !== '' && /^0+$/.test(digits))
      return { ok: false, message: `"${found[0]}" keeps zero parts; the number must be at least 1` };
    if (expLetters.has(letter) && !explanation)
      return { ok: false, message: `macro letter "${letter}" is allowed only in explanation text` };
    flush();
    tokens.push({
      kind: 'macro',
      letter,
      escape: found[1] !== letter,
      keep: digits === '' ? 0 : Number(digits),
      reverse: found[3] !== '',
      delimiters: found[4] ?? '',
    });
    at += found[0].length;
  }
  flush();
  return { ok: true, tokens, endsExpanded };
}

const escapes: Readonly<Record<string, string>> = { '%': '%', _: ' ', '-': '%20' };

export function describe(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

const toplabel = /\.(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])\.?$/i;

/** Why `text` is no domain-spec (RFC 7208 7.1), or undefined when it is one. */
export function domainSpecProblem(text: string): string | undefined {
  if (text === '') return 'the domain is missing';
  const parsed = parseMacroString(text);
  if (!parsed.ok) return parsed.message;
  if (parsed.endsExpanded || toplabel.test(text)) return undefined;
  return text.includes('.')
    ? `"${text}" does not end in a valid top-level label`
    : `"${text}" is a single label; a full domain name is needed`;
}

/** Whether the value depends on sender, client or HELO, so that no static check can judge it. */
export function hasMacros(text: string): boolean {
  const parsed = parseMacroString(text, true);
  return !parsed.ok || parsed.tokens.some((token) => token.kind === 'macro');
}

/** Replaces every macro. `values` gives the raw value of a letter; transformers and escaping happen here. */
export async function expandMacros(tokens: readonly MacroToken[], values: MacroValues): Promise<string> {
  let out = '';
  for (const token of tokens) {
    if (token.kind === 'text') {
      out += token.text;
      continue;
    }
    const value = transform(await values(token.letter), token);
    out += token.escape ? escapeUrl(value) : value;
  }
  return out;
}

function transform(value: string, token: Extract<MacroToken, { kind: 'macro' }>): string {
  if (token.keep === 0 && !token.reverse && token.delimiters === '') return value;
  const delimiters = token.delimiters === '' ? '.' : token.delimiters;
  const parts: string[] = [];
  let part = '';
  for (const char of value) {
    if (delimiters.includes(char)) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  parts.push(part);
  if (token.reverse) parts.reverse();
  return (token.keep === 0 ? parts : parts.slice(-token.keep)).join('.');
}

/** RFC 7208 7.3: everything outside the unreserved set of RFC 3986. */
function escapeUrl(value: string): string {
  let out = '';
  for (const byte of new TextEncoder().encode(value)) {
    const char = String.fromCharCode(byte);
    out += /[A-Za-z0-9\-._~]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/**
 * A name that can be asked for: lower-case, no final dot, labels dropped from the left until it fits into 253
 * characters (RFC 7208 7.3). Undefined when RFC 1035 forbids what is left.
 */
export function toQueryName(expanded: string): string | undefined {
  let name = expanded.toLowerCase().replace(/\.$/, '');
  while (name.length > 253) {
    const dot = name.indexOf('.');
    if (dot < 0) return undefined;
    name = name.slice(dot + 1);
  }
  return isQueryName(name) ? name : undefined;
}

/** Labels of 1 to 63 printable ASCII characters, 253 in all. */
export function isQueryName(name: string): boolean {
  if (name.length === 0 || name.length > 253 || !/^[ -~]+$/.test(name)) return false;
  return name.split('.').every((label) => label.length >= 1 && label.length <= 63);
}
