import { Exit, SetupError } from '../errors.js';

const anchorLine =
  /^(\.|[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?)\s+(?:\d+\s+)?(?:IN\s+)?(DS\s+\d+\s+\d+\s+\d+\s+[0-9A-Fa-f\s]+|DNSKEY\s+\d+\s+\d+\s+\d+\s+[A-Za-z0-9+/=\s]+)$/;

/**
 * The DS and DNSKEY lines of a trust anchor file in zone-file form (RFC 4034; comments and empty lines are skipped),
 * each as one line with single spaces. Throws SetupError E_TRUST_ANCHOR (exit 2) on anything else.
 */
export function parseTrustAnchors(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/;.*$/, '').trim())
    .filter((line) => line !== '')
    .map((line) => {
      const found = anchorLine.exec(line);
      if (found === null) {
        throw new SetupError({
          code: 'E_TRUST_ANCHOR',
          exit: Exit.usage,
          what: 'The trust anchor is not a DS or DNSKEY record in zone-file form.',
          evidence: [`line: ${line.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)}`],
          fix: [
            'Give lines such as `. IN DS 20326 8 2 E06D44B8…`, as `unbound-anchor` and `dig DNSKEY` print them.',
          ],
        });
      }
      const [, owner = '', data = ''] = found;
      return `${owner} IN ${data.replace(/\s+/g, ' ').trim()}`;
    });
}
