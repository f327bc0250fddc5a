import { shellQuote } from '../lib/shell-quote.js';
import { readLines } from './text.js';

/** The stored mail of some addresses, whether they are mailboxes still or not. */
export interface MailStore {
  /** When the last backup that was saved began, in seconds since 1970; 0 when there is none. */
  saved: number;
  stores: readonly { address: string; messages: number; newer: number; kib: number }[];
}

/** Asks only about names that the store can have; everything else has no mail. */
export function mailStoreScript(addresses: readonly string[]): string {
  const known = addresses.filter((address) => /^[a-z0-9][a-z0-9._+-]*@[a-z0-9][a-z0-9.-]*$/.test(address));
  return `saved=$(head -c 20 /var/lib/smtp-setup/saved 2>/dev/null)
echo "saved \${saved:-0}"
for address in ${known.map(shellQuote).join(' ')}; do
  folder=/var/vmail/\${address##*@}/\${address%@*}
  [ -d "$folder" ] || continue
  echo "store $address $(find "$folder" -type f \\( -path '*/cur/*' -o -path '*/new/*' \\) | sed 's#.*/##' |
    awk -F. -v saved="\${saved:-0}" '$1 + 0 >= saved + 0 { n++ } END { print NR, n + 0 }') $(du -sk "$folder" | cut -f1)"
done`;
}

export function parseMailStore(stdout: string): MailStore {
  const lines = readLines(stdout);
  const saved = lines.map((line) => /^saved (\d{1,12})$/.exec(line)?.[1]).find(Boolean);
  return {
    saved: Number(saved ?? 0),
    stores: lines.flatMap((line) => {
      const match = /^store (\S+@\S+) (\d{1,9}) (\d{1,9}) (\d{1,12})$/.exec(line);
      if (match === null) return [];
      const [, address = '', messages, newer, kib] = match;
      return [{ address, messages: Number(messages), newer: Number(newer), kib: Number(kib) }];
    }),
  };
}
