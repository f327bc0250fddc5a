export { type AuthoritativeOptions, createAuthoritativeResolver } from './authoritative.js';
export { cacheResolver, createRecursiveResolver, type RecursiveOptions } from './recursive.js';
export { formatServerAddress, parseServerAddress, readSystemResolvers } from './server-address.js';
export { systemClock } from './system-clock.js';
export * from './types.js';
export { limitQueries, type Query, type QueryOptions, query } from './wire.js';
