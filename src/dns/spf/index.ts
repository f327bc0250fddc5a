/**
 * SPF by RFC 7208, over any source of DNS answers:
 *
 *     const { result, explanation } = await evaluateSpf({ ip, sender, helo, lookup });
 *
 * is `check_host()`. `lookup(name, type)` answers TXT, A, AAAA, MX and PTR questions as `SpfAnswer` says; `lookupFrom`
 * makes one of a resolver, `lookupInZone` one of records that are yet to be published. Where the RFC leaves a choice
 * open, the reading of the public test suite is taken: names that DNS cannot hold match nothing (section 4.8), and more
 * than ten MX hosts are a permerror (4.6.4).
 */
export { countSpfLookups, type SpfBudget, type SpfTermPlace } from './count.js';
export { evaluateSpf } from './evaluate.js';
export { lookupFrom, lookupInZone } from './lookup.js';
export { hasMacros } from './macro.js';
export { isSpfRecord, parseSpf } from './parse.js';
export type * from './types.js';
