import type { Finding, Status } from '../check.js';

/** What is remembered of one look at the server, to tell the next one what is new. */
export interface Snapshot {
  schema: 1;
  /** Milliseconds since 1970. */
  time: number;
  items: Readonly<Record<string, { status: Status; observed?: string }>>;
}

export interface Change {
  finding: Finding;
  /** Undefined: it was not there before. */
  before?: Status;
}

export interface Comparison {
  changed: readonly Change[];
  /** Troubles of last time that nothing is said about any more. */
  gone: readonly string[];
}

const keyOf = ({ id, subject }: Finding): string => `${id} ${subject}`;
const isTrouble = (status: Status): boolean => status === 'fail' || status === 'warn';

export function takeSnapshot(findings: readonly Finding[], time: number): Snapshot {
  return {
    schema: 1,
    time,
    items: Object.fromEntries(
      findings.map((finding) => [
        keyOf(finding),
        // Figures such as free space differ at every look; a version that differs is news.
        { status: finding.status, ...(finding.id === 'SRV-VERSION' ? { observed: finding.message } : {}) },
      ]),
    ),
  };
}

/** What differs from the last look. Without one everything that is not well counts as new. Pure. */
export function compareStatus(findings: readonly Finding[], last: Snapshot | undefined): Comparison {
  const now = takeSnapshot(findings, 0).items;
  const changed = findings.flatMap((finding): Change[] => {
    const key = keyOf(finding);
    const before = last?.items[key];
    if (before === undefined) {
      return isTrouble(finding.status) || (last !== undefined && finding.id === 'SRV-VERSION')
        ? [{ finding }]
        : [];
    }
    const same = before.status === finding.status && before.observed === now[key]?.observed;
    return same ? [] : [{ finding, before: before.status }];
  });
  const gone = Object.entries(last?.items ?? {}).flatMap(([key, { status }]) =>
    now[key] === undefined && isTrouble(status) ? [key] : [],
  );
  return { changed, gone };
}

/** Reads what {@link takeSnapshot} made; anything else is as good as none. */
export function parseSnapshot(text: string): Snapshot | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null || !('schema' in value) || value.schema !== 1)
    return undefined;
  if (!('time' in value) || typeof value.time !== 'number') return undefined;
  if (!('items' in value) || typeof value.items !== 'object' || value.items === null) return undefined;
  const items = Object.entries(value.items).flatMap(([key, item]) => {
    const read = readItem(item);
    return read === undefined ? [] : [[key, read] as const];
  });
  return { schema: 1, time: value.time, items: Object.fromEntries(items) };
}

const statuses: readonly Status[] = ['pass', 'warn', 'fail', 'info', 'unknown'];

function readItem(item: unknown): { status: Status; observed?: string } | undefined {
  if (typeof item !== 'object' || item === null || !('status' in item)) return undefined;
  const status = statuses.find((known) => known === item.status);
  if (status === undefined) return undefined;
  const observed = 'observed' in item && typeof item.observed === 'string' ? item.observed : undefined;
  return { status, ...(observed === undefined ? {} : { observed }) };
}
