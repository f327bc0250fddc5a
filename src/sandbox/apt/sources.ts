/** One `deb` source of apt, as sources.list(5) describes it. */
export interface AptSource {
  uri: string;
  suite: string;
  components: readonly string[];
}

/** Parses a one-line style (`*.list`) file; comments, `deb-src` and flat repositories are left out. */
export function parseOneLineSources(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.replace(/#.*/, '').trim();
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(\S.*)$/.exec(line);
    if (match === null) continue;
    const [, uri = '', suite = '', components = ''] = match;
    found.push({ uri: trimSlash(uri), suite, components: components.split(/\s+/) });
  }
  return found;
}

/** Parses deb822 style (`*.sources`) text; stanzas with `Enabled: no` are left out. */
export function parseDeb822Sources(text: string): AptSource[] {
  const found: AptSource[] = [];
  for (const stanza of text.split(/\n\s*\n/)) {
    const fields = readFields(stanza);
    const list = (name: string) => (fields.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
    if (!list('types').includes('deb') || /^(no|false|0)$/i.test(fields.get('enabled') ?? '')) continue;
    for (const uri of list('uris')) {
      for (const suite of list('suites')) {
        const components = list('components');
        if (components.length > 0) found.push({ uri: trimSlash(uri), suite, components });
      }
    }
  }
  return found;
}

function readFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const field = /^([A-Za-z-]+):(.*)$/.exec(line);
    if (field !== null) {
      current = (field[1] ?? '').toLowerCase();
      fields.set(current, (field[2] ?? '').trim());
    } else if (/^\s/.test(line) && current !== '') {
      fields.set(current, `${fields.get(current) ?? ''} ${line.trim()}`.trim());
    }
  }
  return fields;
}

function trimSlash(uri: string): string {
  return uri.replace(/\/+$/, '');
}

const DEBIAN_SUITE = /^(bullseye|bookworm|trixie|forky|sid|stable|testing|oldstable)(-updates|-security)?$/;

/**
 * The same archives for another Debian release: every Debian source of this machine with its suite's release replaced.
 * Third-party repositories (whose suites are no Debian releases) and backports are left out, duplicates are merged.
 */
export function sourcesForRelease(sources: readonly AptSource[], release: string): AptSource[] {
  const found = new Map<string, AptSource>();
  for (const source of sources) {
    const match = DEBIAN_SUITE.exec(source.suite);
    if (match === null || !/^https?:\/\//.test(source.uri) || !source.components.includes('main')) continue;
    const suite = `${release}${match[2] ?? ''}`;
    const key = `${source.uri} ${suite}`;
    if (!found.has(key)) found.set(key, { uri: source.uri, suite, components: ['main'] });
  }
  return [...found.values()];
}

export function renderSourceLine(source: AptSource): string {
  return `deb ${source.uri} ${source.suite} ${source.components.join(' ')}`;
}
