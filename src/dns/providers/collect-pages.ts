import { Exit, SetupError } from '../../errors.js';
import type { ProviderContext } from './provider.js';

export interface Page {
  items: readonly unknown[];
  /** How many there are in all pages. */
  total: number;
}

const mostPages = 500;
const mostRounds = 3;

/**
 * Every item of a paged listing, or E_DNS_LIST_INCOMPLETE. Starts again when the listing changed between two pages: a
 * record that goes meanwhile moves the next one over the edge, unseen. `keyOf` tells items apart.
 */
export async function collectPages(
  context: ProviderContext,
  zone: string,
  readPage: (page: number) => Promise<Page>,
  keyOf: (item: unknown) => string,
): Promise<unknown[]> {
  for (let round = 0; round < mostRounds; round++) {
    const items = await collectOnce(readPage, keyOf);
    if (items) return items;
    context.log(`the zone ${zone} changed while it was read; reading it again`);
  }
  throw new SetupError({
    code: 'E_DNS_LIST_INCOMPLETE',
    exit: Exit.failed,
    what: `The records of ${zone} could not be read completely, so nothing was decided on them.`,
    evidence: [`The number of records differed from what the API announced, ${mostRounds} times.`],
    fix: ['Run the command again when nobody else is changing the zone.'],
  });
}

async function collectOnce(
  readPage: (page: number) => Promise<Page>,
  keyOf: (item: unknown) => string,
): Promise<unknown[] | undefined> {
  const found = new Map<string, unknown>();
  let announced: number | undefined;
  let seen = 0;
  for (let page = 1; page <= mostPages; page++) {
    const { items, total } = await readPage(page);
    if (announced !== undefined && total !== announced) return undefined;
    announced = total;
    for (const item of items) found.set(keyOf(item), item);
    seen += items.length;
    if (seen >= total || items.length === 0) return found.size === total ? [...found.values()] : undefined;
  }
  return undefined;
}
