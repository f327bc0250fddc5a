import { isWithin } from '../../dns/canonical.js';
import { type DkimKey, looksLikeDkimKey, parseDkimKey } from '../../dns/dkim-key.js';
import { isDmarcRecord, parseDmarc, treeWalkDomains, type WalkStep } from '../../dns/dmarc.js';
import { type Answer, isUnknown, type ZoneServers } from '../../dns/resolver/types.js';
import { isSpfRecord, parseSpf, type SpfRecord, type SpfSyntaxError } from '../../dns/spf/index.js';
import { type DnsContext, textsOf } from './context.js';

/** The zone that holds the domain, with its servers. */
export function findZone(ctx: DnsContext): Promise<ZoneServers | { error: string }> {
  return ctx.once('zone', () => ctx.deps.authoritative.findZone(ctx.target.domain));
}

export interface MxFacts {
  answer: Answer;
  /** By preference, then name. */
  hosts: readonly { preference: number; exchange: string }[];
  /** A null MX (RFC 7505) is among them. */
  hasNull: boolean;
}

export function readMx(ctx: DnsContext): Promise<MxFacts> {
  return ctx.once('mx', async () => {
    const answer = await ctx.ask(ctx.target.domain, 'MX');
    const all = answer.records.flatMap(({ data }) => (data.type === 'MX' ? [data] : []));
    const hosts = all
      .filter((mx) => mx.exchange !== '')
      .map(({ preference, exchange }) => ({ preference, exchange }))
      .sort((a, b) => a.preference - b.preference || (a.exchange < b.exchange ? -1 : 1));
    return { answer, hosts, hasNull: hosts.length < all.length };
  });
}

/** A hostile zone may name thousands of hosts; so many get looked up. */
const mostHosts = 20;

/** The MX hosts that are looked up, each once. */
export async function findMxHosts(ctx: DnsContext): Promise<readonly string[]> {
  const { hosts } = await readMx(ctx);
  return [...new Set(hosts.map((mx) => mx.exchange))].slice(0, mostHosts);
}

/** The hosts whose addresses, reverse names and certificates are this domain's own business. */
export async function findOwnHosts(ctx: DnsContext): Promise<readonly string[]> {
  if (ctx.target.host !== undefined) return [ctx.target.host];
  return (await findMxHosts(ctx)).filter((host) => isWithin(host, ctx.target.domain));
}

export interface SpfFacts {
  answer: Answer;
  /** All records that begin with v=spf1. */
  texts: readonly string[];
  /** Of the only one, when it is one and free of errors. */
  record?: SpfRecord;
  errors: readonly SpfSyntaxError[];
}

export function readSpf(ctx: DnsContext, name = ctx.target.domain): Promise<SpfFacts> {
  return ctx.once(`spf ${name}`, async () => {
    const answer = await ctx.ask(name, 'TXT');
    const texts = textsOf(answer).filter(isSpfRecord);
    const [text] = texts;
    if (text === undefined || texts.length > 1) return { answer, texts, errors: [] };
    const parsed = parseSpf(text);
    return parsed.ok
      ? { answer, texts, record: parsed.record, errors: [] }
      : { answer, texts, errors: parsed.errors };
  });
}

export interface DmarcStep extends WalkStep {
  answer: Answer;
  /** How many DMARC records stand at this name. */
  count: number;
}

/** Everything on the way up from the domain (RFC 9989 4.10), asked at once. */
export function walkDmarc(ctx: DnsContext): Promise<readonly DmarcStep[]> {
  return ctx.once('dmarc', () => walkFrom(ctx, ctx.target.domain));
}

export function walkFrom(ctx: DnsContext, domain: string): Promise<readonly DmarcStep[]> {
  return Promise.all(
    treeWalkDomains(domain).map(async (step) => {
      const name = `_dmarc.${step}`;
      const own = isWithin(step, ctx.target.domain);
      const answer = own ? await ctx.ask(name, 'TXT') : await ctx.askResolver(name, 'TXT');
      const texts = textsOf(answer).filter(isDmarcRecord);
      const record = texts.length === 1 && texts[0] !== undefined ? parseDmarc(texts[0]) : undefined;
      return { domain: step, answer, count: texts.length, ...(record && { record }) };
    }),
  );
}

/** Selectors that well-known senders and servers use; a guess is only made when nobody says better. */
const usualSelectors = [
  'default',
  'dkim',
  'mail',
  'email',
  'smtp',
  'key1',
  'key2',
  's1',
  's2',
  'k1',
  'k2',
  'k3',
  'selector1',
  'selector2',
  'google',
  'fm1',
  'fm2',
  'fm3',
  'zoho',
  'pm',
  'mandrill',
  'mxvault',
  'dkim1',
  'ed25519',
  'rsa',
  'protonmail',
];

export interface DkimFacts {
  selector: string;
  name: string;
  answer: Answer;
  /** TXT that look like keys. */
  texts: readonly string[];
  key?: DkimKey;
  guessed: boolean;
}

/** One entry for each selector known or given, and for each guessed one that exists. */
export async function readDkim(ctx: DnsContext): Promise<readonly DkimFacts[]> {
  const selectors = await readSelectors(ctx);
  const found = selectors.filter(({ guessed, texts }) => !guessed || texts.length > 0);
  const [first] = found;
  // A wildcard answers every guess alike; it is one record.
  const same = found.every(({ texts }) => texts.join('\n') === first?.texts.join('\n'));
  if (first?.guessed !== true || found.length < selectors.length || !same) return found;
  const name = `*._domainkey.${ctx.target.domain}`;
  return [{ ...first, selector: '*', name, answer: { ...first.answer, name } }];
}

/** A guess whose lookup failed: there may be a key. */
export async function findLostGuess(ctx: DnsContext): Promise<Answer | undefined> {
  return (await readSelectors(ctx)).find(({ guessed, answer }) => guessed && isUnknown(answer.status))
    ?.answer;
}

function readSelectors(ctx: DnsContext): Promise<readonly DkimFacts[]> {
  return ctx.once('dkim', async () => {
    const { domain } = ctx.target;
    const suffix = `._domainkey.${domain}`;
    const planned = ctx
      .expected('dkim')
      .flatMap(({ name }) => (name.endsWith(suffix) ? [name.slice(0, -suffix.length)] : []));
    const known = [...new Set([...planned, ...ctx.target.selectors])];
    const guessed = known.length === 0;
    return Promise.all(
      (guessed ? usualSelectors : known).map(async (selector): Promise<DkimFacts> => {
        const name = `${selector}${suffix}`;
        const answer = await ctx.ask(name, 'TXT');
        const texts = textsOf(answer).filter(looksLikeDkimKey);
        const [text] = texts;
        return {
          selector,
          name,
          answer,
          texts,
          guessed,
          ...(text !== undefined && { key: parseDkimKey(text) }),
        };
      }),
    );
  });
}

/** Whether the addresses of a name could be found out at all, and which they are. */
export interface HostAddresses {
  host: string;
  v4: Answer;
  v6: Answer;
  addresses: readonly string[];
  unknown: boolean;
}

export function readAddresses(ctx: DnsContext, host: string): Promise<HostAddresses> {
  return ctx.once(`addresses ${host}`, async () => {
    const own = isWithin(host, ctx.target.domain) || host === ctx.target.host;
    const ask = (type: 'A' | 'AAAA') => (own ? ctx.assume.resolve(host, type) : ctx.askResolver(host, type));
    const [v4, v6] = await Promise.all([ask('A'), ask('AAAA')]);
    const addresses = [...v4.records, ...v6.records].flatMap(({ data }) =>
      data.type === 'A' || data.type === 'AAAA' ? [data.address] : [],
    );
    return { host, v4, v6, addresses, unknown: isUnknown(v4.status) || isUnknown(v6.status) };
  });
}
