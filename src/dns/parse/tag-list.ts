export interface Tag {
  name: string;
  value: string;
}

export type TagList =
  | { ok: true; tags: readonly Tag[] }
  | { ok: false; tags: readonly Tag[]; problems: readonly string[] };

/**
 * `name=value; name=value` of RFC 6376 3.2, which DKIM keys, DMARC, MTA-STS and TLS-RPT share. White space around
 * names and values does not count; an empty part after the last semicolon is fine, elsewhere it is an error.
 */
export function parseTagList(text: string): TagList {
  const tags: Tag[] = [];
  const problems: string[] = [];
  const parts = text.split(';');
  for (const [index, part] of parts.entries()) {
    const trimmed = trim(part);
    if (trimmed === '') {
      if (index !== parts.length - 1) problems.push('two semicolons with nothing between them');
      continue;
    }
    const equals = trimmed.indexOf('=');
    if (equals < 0) {
      problems.push(`"${clip(trimmed)}" has no "="`);
      continue;
    }
    const name = trim(trimmed.slice(0, equals));
    const value = trim(trimmed.slice(equals + 1));
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) problems.push(`"${clip(name)}" is not a tag name`);
    else if (tags.some((tag) => tag.name === name)) problems.push(`tag "${clip(name)}" appears twice`);
    const odd = /[^ -~\t\r\n]/u.exec(value);
    if (odd) problems.push(`the value of "${clip(name)}" holds a character that is not printable ASCII`);
    tags.push({ name, value });
  }
  return problems.length === 0 ? { ok: true, tags } : { ok: false, tags, problems };
}

/** FWS of RFC 6376; not the Unicode white space that `String.trim` would take. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && ' \t\r\n'.includes(text[start] ?? 'x')) start++;
  while (end > start && ' \t\r\n'.includes(text[end - 1] ?? 'x')) end--;
  return text.slice(start, end);
}

/** First value of a tag. */
export function tagValue(tags: readonly Tag[], name: string): string | undefined {
  return tags.find((tag) => tag.name === name)?.value;
}

/** Foreign text inside a message stays short. */
export function clip(text: string, most = 40): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
