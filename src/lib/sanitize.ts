/**
 * Untrusted text (server output, DNS answers, API errors, mail, logs) on its way to a terminal, a log or a report.
 * Whatever the input, the result holds no C0/C1 control, no escape sequence, no bidirectional override.
 */

// Whole sequences go first, so that `ESC [ 31 m` leaves nothing behind; a broken one loses only its control bytes.
const ansiSequence = new RegExp(
  [
    '\\u001b\\][^\\u0007\\u001b\\u009c]*(?:\\u0007|\\u001b\\\\|\\u009c)', // OSC: titles, hyperlinks
    '\\u001b[PX^_][^\\u001b\\u009c]*(?:\\u001b\\\\|\\u009c)', // DCS, SOS, PM, APC
    '[\\u001b\\u009b][[0-?]*[ -/]*[@-~]', // CSI and two-byte sequences
  ].join('|'),
  'g',
);

const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
// Bidi marks, embeddings, overrides and isolates; invisible joiners that hide text; tag characters; lone surrogates.
const deceptive =
  /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

const ellipsis = '…';

function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const kept = text.slice(0, Math.max(0, max - 1));
  // A cut through a surrogate pair would leave half a character.
  return (/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept) + ellipsis;
}

/** Several lines, safe for a terminal: newlines and tabs stay, CR and U+2028/2029 become newlines. `max` in UTF-16 units. */
export function sanitizeText(text: string, max = 65_536): string {
  // Twice the budget is looked at, so that a megabyte of escapes costs nothing.
  const safe = text
    .slice(0, max * 2)
    .replace(ansiSequence, '')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(control, '')
    .replace(deceptive, '');
  return cut(safe, max);
}

/** One line, safe for a terminal: all white space becomes single blanks, ends trimmed. `max` in UTF-16 units. */
export function sanitizeLine(text: string, max = 500): string {
  return cut(
    sanitizeText(text, max * 4)
      .replace(/\s+/g, ' ')
      .trim(),
    max,
  );
}

const htmlEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For HTML text and quoted attributes. */
export function escapeHtml(text: string): string {
  return sanitizeText(text).replace(/[&<>"']/g, (c) => htmlEntities[c] ?? c);
}

/** For XML 1.0 text and quoted attributes (JUnit); drops what XML cannot hold at all. */
export function escapeXml(text: string): string {
  return escapeHtml(text).replace(/[\ufffe\uffff]/g, '');
}

/** For a Markdown table cell or paragraph (GitHub step summary): nothing in it formats, links or mentions. */
export function escapeMarkdown(text: string): string {
  return sanitizeLine(text, 2000)
    .replace(/[\\`*_{}[\]()#+\-.!|~]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@/g, '&#64;');
}

/** For the message of a GitHub workflow command (`::error::MESSAGE`). */
export function escapeWorkflowData(text: string): string {
  return sanitizeText(text).replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

/** For a property of a GitHub workflow command (`::error title=VALUE::`). */
export function escapeWorkflowProperty(text: string): string {
  return escapeWorkflowData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
