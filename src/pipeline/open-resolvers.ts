import { isPrivateResolver } from '../checks/dns/reachable.js';
import {
  type AuthoritativeResolver,
  createAuthoritativeResolver,
  limitQueries,
  parseServerAddress,
  query,
  type Resolver,
} from '../dns/resolver/index.js';
import type { Session } from './session.js';

export interface Resolvers {
  recursive: Resolver;
  /** Remembers nothing: for polling. */
  authoritative: AuthoritativeResolver;
  /** The resolver was given by hand and is at a private address: a private network or a rehearsal (amendment A6). */
  own: boolean;
}

const queriesAtOnce = 40;

/** The resolvers of one command: the one from --resolver, honoured strictly, else this machine's own. */
export async function openResolvers(session: Session, anchors: readonly string[]): Promise<Resolvers> {
  const { context, answers } = session;
  const recursive = await context.createResolver(answers.resolver?.value);
  const authoritative = createAuthoritativeResolver({
    recursive,
    query: limitQueries(query, queriesAtOnce),
    anchors,
    signal: context.signal,
  });
  return { recursive, authoritative, own: namesPrivateResolver(answers.resolver?.value) };
}

/** Judges the value of --resolver; a public one says nothing about the network. */
export function namesPrivateResolver(value: string | undefined): boolean {
  const server = value === undefined ? undefined : parseServerAddress(value);
  return server !== undefined && isPrivateResolver(server.address);
}
