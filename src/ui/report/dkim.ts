import { sanitizeLine } from '../../lib/sanitize.js';
import { createStyle } from '../colors.js';
import type { Io } from '../io.js';
import { alignColumns } from '../text.js';

export interface KeyView {
  domain: string;
  selector: string;
  /** `coming`: published, to sign once every server shows it. `old`: it signed before. `unused`: nobody knows why it is there. */
  state: 'signs' | 'coming' | 'old' | 'unused';
  /** Every authoritative server shows exactly this key. */
  visible: 'yes' | 'no' | 'unknown';
  /** When an old key may go, YYYY-MM-DD. */
  until?: string;
}

const words: Readonly<Record<KeyView['state'], string>> = {
  signs: 'signs',
  coming: 'will sign once it is visible everywhere',
  old: 'signed before',
  unused: 'not in use',
};
const seen: Readonly<Record<KeyView['visible'], string>> = {
  yes: 'visible at every name server',
  no: 'not visible',
  unknown: 'not every name server answered',
};

/** All keys, a line each. */
export function renderKeys(io: Io, keys: readonly KeyView[]): string {
  if (keys.length === 0) return 'There are no DKIM keys.';
  const { mark, chalk } = createStyle(io.out);
  return alignColumns(
    keys.map(({ domain, selector, state, visible, until }) => [
      state === 'signs' && visible === 'yes'
        ? mark.done
        : visible === 'no' && state === 'signs'
          ? mark.fail
          : mark.skip,
      sanitizeLine(domain),
      sanitizeLine(selector),
      `${words[state]}${until === undefined ? '' : `, may go after ${until}`}`,
      chalk.dim(seen[visible]),
    ]),
  ).join('\n');
}
