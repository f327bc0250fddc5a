export { createAuthoritativeResolver } from './authoritative.js';
export { createRecursiveResolver } from './recursive.js';
export { parseServerAddress, readSystemResolvers } from './server-address.js';
export { systemClock } from './system-clock.js';
export * from './types.js';
export { limitQueries, type Query, query } from './wire.js';
