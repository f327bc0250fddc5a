import { sameData } from './canonical.js';
import { parseDkimKey } from './dkim-key.js';
import { isDmarcRecord } from './dmarc.js';
import { parseTagList } from './parse/tag-list.js';
import type { RecordData } from './record.js';
import { isSpfRecord } from './spf/parse.js';

/** Equal for whoever reads it, whatever the spelling. */
export function sameMeaning(planned: RecordData, live: RecordData): boolean {
  if (planned.type !== 'TXT' || live.type !== 'TXT') return sameData(planned, live);
  if (planned.text === live.text) return true;
  if (isSpfRecord(planned.text)) return words(planned.text) === words(live.text);
  if (/^v=DKIM1\b/.test(planned.text)) {
    const [a, b] = [parseDkimKey(planned.text), parseDkimKey(live.text)];
    return (
      a.algorithm === b.algorithm &&
      a.publicKey === b.publicKey &&
      a.testing === b.testing &&
      a.usable === b.usable
    );
  }
  const [a, b] = [parseTagList(planned.text), parseTagList(live.text)];
  return (
    a.ok &&
    b.ok &&
    a.tags.length > 0 &&
    isDmarcRecord(planned.text) === isDmarcRecord(live.text) &&
    tagKey(a.tags) === tagKey(b.tags)
  );
}

function words(text: string): string {
  return text
    .toLowerCase()
    .split(' ')
    .filter((word) => word !== '')
    .join(' ');
}

function tagKey(tags: readonly { name: string; value: string }[]): string {
  return tags
    .map(({ name, value }) => `${name}=${value.replace(/\s+/g, '')}`)
    .sort()
    .join(';');
}
