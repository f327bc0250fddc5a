import { isWithin } from '../canonical.js';
import { type ClientIp, matchesAddress, parseClientIp } from './client-ip.js';
import { expandMacros, isQueryName, parseMacroString, toQueryName } from './macro.js';
import { createMacroValues } from './macro-values.js';
import { isSpfRecord, parseSpf } from './parse.js';
import { findValidatedNames, type ValidatedNames } from './ptr.js';
import type {
  SpfAnswer,
  SpfInput,
  SpfMechanism,
  SpfModifier,
  SpfQualifier,
  SpfQueryType,
  SpfResult,
  SpfResultCode,
  SpfTerm,
  SpfTraceEntry,
} from './types.js';

export const maxLookups = 10;
export const maxVoids = 2;
/** Address lookups for one `mx`, and names looked at for one `ptr` (RFC 7208 4.6.4). */
export const maxNames = 10;

const outcomes: Readonly<Record<SpfQualifier, SpfResultCode>> = {
  '+': 'pass',
  '-': 'fail',
  '~': 'softfail',
  '?': 'neutral',
};

/** Everything that lasts for one evaluation, includes and redirects counted in. */
interface Evaluation {
  input: SpfInput;
  ip: ClientIp;
  /** Local part and domain of the sender; `postmaster` stands in for a missing local part (4.3). */
  sender: { local: string; domain: string };
  lookups: number;
  voids: string[];
  trace: SpfTraceEntry[];
  names?: Promise<ValidatedNames>;
}

/** Ends the whole evaluation at once. */
class Stop extends Error {
  readonly code: 'temperror' | 'permerror';
  constructor(code: 'temperror' | 'permerror', problem: string) {
    super(problem);
    this.code = code;
  }
}

interface Outcome {
  result: SpfResultCode;
  problem?: string;
  matched?: { domain: string; term: string };
  /** The record's `exp=` with the domain it stands in. */
  exp?: { domain: string; modifier: SpfModifier };
}

/** check_host() of RFC 7208 section 4. Never throws for what the records say; a lookup that throws is a bug of the caller. */
export async function evaluateSpf(input: SpfInput): Promise<SpfResult> {
  const ip = parseClientIp(input.ip);
  if (!ip) throw new TypeError(`not an IP address: ${input.ip}`);
  const mailbox = input.sender === '' ? `postmaster@${input.helo}` : input.sender;
  const at = mailbox.lastIndexOf('@');
  const sender = {
    local: at > 0 ? mailbox.slice(0, at) : 'postmaster',
    domain: mailbox.slice(at + 1).replace(/\.$/, ''),
  };
  const run: Evaluation = { input, ip, sender, lookups: 0, voids: [], trace: [] };
  const domain = (input.domain ?? sender.domain).replace(/\.$/, '');
  const done = (outcome: Outcome, explanation?: string): SpfResult => ({
    result: outcome.result,
    ...(explanation !== undefined && { explanation }),
    ...(outcome.problem !== undefined && { problem: outcome.problem }),
    ...(outcome.matched && { matched: outcome.matched }),
    lookups: run.lookups,
    voids: run.voids,
    trace: run.trace,
  });
  try {
    const outcome = await checkHost(run, domain, 0);
    return done(
      outcome,
      outcome.result === 'fail' && outcome.exp ? await explain(run, outcome.exp) : undefined,
    );
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    return done({ result: error.code, problem: error.message });
  }
}

async function checkHost(run: Evaluation, domain: string, depth: number): Promise<Outcome> {
  const name = domain.toLowerCase();
  // An address literal in HELO or MAIL FROM is no domain either, and nobody is asked about it (4.3).
  if (!isQueryName(name) || !name.includes('.') || name.startsWith('['))
    return { result: 'none', problem: `"${domain}" is not a full domain name` };
  const answer = await run.input.lookup(name, 'TXT');
  if (answer.status === 'error') throw new Stop('temperror', `the TXT lookup of ${name} failed`);
  const [text, second] = answer.values.filter(isSpfRecord);
  if (text === undefined) return { result: 'none', problem: `${name} has no SPF record` };
  if (second !== undefined) throw new Stop('permerror', `${name} has more than one SPF record`);
  const parsed = parseSpf(text);
  if (!parsed.ok) {
    const error = parsed.errors[0];
    throw new Stop('permerror', `syntax error in the record of ${name}: ${error?.term}: ${error?.message}`);
  }
  const { record } = parsed;
  const exp = record.exp && { domain, modifier: record.exp };
  for (const term of record.mechanisms) {
    const matches = await matchMechanism(run, term, domain, depth);
    run.trace.push({ depth, domain: name, term: term.raw, outcome: matches ? 'match' : 'no match' });
    if (matches)
      return {
        result: outcomes[term.qualifier],
        matched: { domain: name, term: term.raw },
        ...(exp && { exp }),
      };
  }
  if (!record.redirect) return { result: 'neutral' };
  return redirect(run, record.redirect, domain, depth);
}

async function redirect(run: Evaluation, term: SpfModifier, domain: string, depth: number): Promise<Outcome> {
  countLookup(run, term);
  const target = await expandDomain(run, term.value, domain);
  run.trace.push({
    depth,
    domain: domain.toLowerCase(),
    term: term.raw,
    outcome: `goes on at ${target ?? 'no valid name'}`,
  });
  const outcome = await checkHost(run, target ?? '', depth + 1);
  if (outcome.result !== 'none') return outcome;
  throw new Stop('permerror', `${term.raw}: ${outcome.problem}`);
}

async function matchMechanism(
  run: Evaluation,
  term: SpfMechanism,
  domain: string,
  depth: number,
): Promise<boolean> {
  switch (term.name) {
    case 'all':
      return true;
    case 'ip4':
    case 'ip6':
      // Families never match each other, so an IPv4-mapped client matches ip4 only.
      return matchesNetwork(run, term, term.network ?? '');
    case 'include':
      return matchInclude(run, term, domain, depth);
    default: {
      countLookup(run, term);
      const target =
        term.domainSpec === undefined ? domain : await expandDomain(run, term.domainSpec, domain);
      const name = toQueryName(target ?? '');
      // RFC 7208 4.8 leaves names that DNS cannot hold open; nothing exists there, so nothing matches.
      if (name === undefined) return false;
      if (term.name === 'ptr') return matchPtr(run, term, name);
      if (term.name === 'exists') return (await ask(run, term, name, 'A')).values.length > 0;
      if (term.name === 'mx') return matchMx(run, term, name);
      return matchAddresses(run, term, await ask(run, term, name, addressType(run)));
    }
  }
}

async function matchInclude(
  run: Evaluation,
  term: SpfMechanism,
  domain: string,
  depth: number,
): Promise<boolean> {
  countLookup(run, term);
  const target = await expandDomain(run, term.domainSpec ?? '', domain);
  const outcome = await checkHost(run, target ?? '', depth + 1);
  if (outcome.result === 'none') throw new Stop('permerror', `${term.raw}: ${outcome.problem}`);
  return outcome.result === 'pass';
}

async function matchMx(run: Evaluation, term: SpfMechanism, name: string): Promise<boolean> {
  const exchanges = (await ask(run, term, name, 'MX')).values;
  if (exchanges.length > maxNames)
    throw new Stop(
      'permerror',
      `${term.raw}: ${name} has ${exchanges.length} MX hosts, more than ${maxNames}`,
    );
  const names = exchanges.flatMap((exchange) => toQueryName(exchange) ?? []);
  const answers = await Promise.all(names.map(async (host) => run.input.lookup(host, addressType(run))));
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'error')
      throw new Stop('temperror', `${term.raw}: the address lookup of ${names[index]} failed`);
    if (matchAddresses(run, term, answer)) return true;
  }
  if (names.length > 0 && answers.every((answer) => answer.values.length === 0)) countVoid(run, term);
  return false;
}

/** DNS errors make `ptr` fail to match, not the evaluation (5.5). */
async function matchPtr(run: Evaluation, term: SpfMechanism, target: string): Promise<boolean> {
  const { names, isVoid } = await validatedNames(run);
  if (isVoid) countVoid(run, term);
  return names.some((name) => isWithin(name, target));
}

function validatedNames(run: Evaluation): Promise<ValidatedNames> {
  run.names ??= findValidatedNames(run.ip, run.input.lookup, maxNames);
  return run.names;
}

function matchAddresses(run: Evaluation, term: SpfMechanism, answer: SpfAnswer): boolean {
  return answer.values.some((value) => matchesNetwork(run, term, value));
}

function matchesNetwork(run: Evaluation, term: SpfMechanism, address: string): boolean {
  return matchesAddress(run.ip, address, { v4: term.prefix4, v6: term.prefix6 });
}

function addressType(run: Evaluation): 'A' | 'AAAA' {
  return run.ip.version === 4 ? 'A' : 'AAAA';
}

async function ask(run: Evaluation, term: SpfTerm, name: string, type: SpfQueryType): Promise<SpfAnswer> {
  const answer = await run.input.lookup(name, type);
  if (answer.status === 'error')
    throw new Stop('temperror', `${term.raw}: the ${type} lookup of ${name} failed`);
  if (answer.status !== 'ok' || answer.values.length === 0) countVoid(run, term);
  return answer;
}

function countLookup(run: Evaluation, term: SpfTerm): void {
  run.lookups += 1;
  if (run.lookups > maxLookups)
    throw new Stop(
      'permerror',
      `more than ${maxLookups} terms need DNS lookups; ${term.raw} is one too many`,
    );
}

function countVoid(run: Evaluation, term: SpfTerm): void {
  run.voids.push(term.raw);
  if (run.voids.length > maxVoids)
    throw new Stop('permerror', `more than ${maxVoids} lookups found nothing: ${run.voids.join(', ')}`);
}

function macroValues(run: Evaluation, domain: string, explanation = false) {
  const { helo, receiver, timestamp } = run.input;
  const names = async () => (await validatedNames(run)).names;
  return createMacroValues({
    ip: run.ip,
    sender: run.sender,
    domain,
    helo,
    receiver,
    timestamp,
    explanation,
    names,
  });
}

async function expandDomain(run: Evaluation, spec: string, domain: string): Promise<string | undefined> {
  const parsed = parseMacroString(spec);
  if (!parsed.ok) return undefined;
  return toQueryName(await expandMacros(parsed.tokens, macroValues(run, domain)));
}

/** Section 6.2: any trouble on the way means there is no explanation; it never changes the result. */
async function explain(run: Evaluation, exp: NonNullable<Outcome['exp']>): Promise<string | undefined> {
  const name = await expandDomain(run, exp.modifier.value, exp.domain);
  if (name === undefined) return undefined;
  const answer = await run.input.lookup(name, 'TXT');
  const text = answer.values[0];
  if (answer.status !== 'ok' || answer.values.length !== 1 || text === undefined) return undefined;
  const parsed = parseMacroString(text, true);
  if (!parsed.ok) return undefined;
  const expanded = await expandMacros(parsed.tokens, macroValues(run, exp.domain, true));
  // The sender's local part can bring in anything; SMTP replies are printable ASCII.
  return /^[ -~]*$/.test(expanded) ? expanded : undefined;
}
