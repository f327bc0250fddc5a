import { Exit, type ExitCode } from '../../errors.js';

// JSON.stringify escapes C0 only; the document may be read at a terminal. Escaped, the values stay what they are.
const unsafe = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** The one JSON document of `--json`: `ok` and `exit` first, then what the command has to say. */
export function renderDocument(exit: ExitCode, document: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify({ ok: exit === Exit.ok, exit, ...document }, undefined, 2);
  return `${text.replace(unsafe, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
