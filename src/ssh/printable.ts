import { sanitizeLine, sanitizeText } from '../lib/sanitize.js';

/** A server's text as evidence: the last few lines that say something, each safe for a terminal and short. */
export function readableLines(text: string, maxLines = 6): string[] {
  return sanitizeText(text, 16_384)
    .split('\n')
    .map((line) => sanitizeLine(line, 300))
    .filter((line) => line !== '')
    .slice(-maxLines);
}
