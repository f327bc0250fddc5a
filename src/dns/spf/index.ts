export { countSpfLookups, type SpfBudget, type SpfTermPlace } from './count.js';
export { evaluateSpf } from './evaluate.js';
export { lookupFrom, lookupInZone } from './lookup.js';
export { hasMacros } from './macro.js';
export { isSpfRecord, parseSpf } from './parse.js';
export type * from './types.js';
