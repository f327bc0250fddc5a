/** The grammar of what people type as domain, host, mailbox and selector; what leaves it is safe in a path, a word and a map file. */
export {
  displayName,
  mixedScriptWarning,
  parseDomain,
  parseHostname,
} from './host-names.js';
export {
  catchAllsOf,
  parseAddress,
  parseAddressOrAll,
  parseMailbox,
  parseSelector,
} from './mailbox-names.js';
