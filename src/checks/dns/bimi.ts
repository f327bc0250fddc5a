import { X509Certificate } from 'node:crypto';
import { isUnknown } from '../../dns/resolver/types.js';
import { isQueryName } from '../../dns/spf/macro.js';
import type { Verdict } from '../check.js';
import type { PinnedResponse } from '../pinned-fetch.js';
import { addressesOf, type DnsCheck, type DnsContext, textsOf } from './context.js';
import { findDmarc } from './dmarc-record.js';
import { splitReachable } from './reachable.js';
import { type Asked, info, pass, unknown } from './verdict.js';

const draft = 'draft-brand-indicators-for-message-identification';
const mostLogoBytes = 32 * 1024;
const mostMarkBytes = 256 * 1024;
const timeoutMs = 10_000;
const details = { expected: 'v=BIMI1; l=https://… (SVG Tiny PS, at most 32 kB)' };

/** A logo is nobody's duty: only a record that is there is judged, and never worse than as information. */
export const bimiCheck: DnsCheck = {
  id: 'BIMI',
  group: 'DMARC',
  severity: 'info',
  title: 'The logo record can be used',
  ref: draft,
  needs: [],
  async run(ctx) {
    const answer = await ctx.ask(`default._bimi.${ctx.target.domain}`, 'TXT');
    if (isUnknown(answer.status)) return [unknown(answer)];
    const texts = textsOf(answer).filter((text) => /^v=BIMI1\b/i.test(text));
    if (texts.length === 0) return [];
    if (texts.length > 1)
      return [info(answer, 'There are several BIMI records: receivers use none.', details)];
    const [logo, mark] = ['l', 'a'].map((tag) => tagOf(texts[0] ?? '', tag));
    if (logo === '' && mark === '') return [info(answer, 'The record says that there is no logo.', details)];
    const problems = [logo, mark].filter((url) => url !== '' && readUrl(url) === undefined);
    if (problems.length > 0)
      return [
        info(answer, `Logo and certificate must be https addresses, not ${problems.join(', ')}.`, details),
      ];
    const policy = (await findDmarc(ctx))?.record.p;
    if (policy !== 'quarantine' && policy !== 'reject')
      return [info(answer, 'Logos are shown only with DMARC p=quarantine or p=reject.', details)];
    const looks = await Promise.all([look(ctx, answer, logo, judgeLogo), look(ctx, answer, mark, judgeMark)]);
    const found = looks.flat();
    return found.length > 0 ? found : [pass(answer, 'The record is well formed.', details)];
  },
};

const tagOf = (text: string, tag: string): string =>
  new RegExp(`;\\s*${tag}=([^;]*)`, 'i').exec(text)?.[1]?.trim() ?? '';

function readUrl(text = ''): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' && url.username === '' && isQueryName(url.hostname) ? url : undefined;
}

type Judge = (body: string, now: number) => string | undefined;

/** What is wrong with what an address leads to; empty when nothing is, or nothing is to be looked at. */
async function look(
  ctx: DnsContext,
  asked: Asked,
  text: string | undefined,
  judge: Judge,
): Promise<Verdict[]> {
  const url = readUrl(text);
  const { fetch } = ctx.deps;
  if (url === undefined || fetch === undefined) return [];
  const [v4, v6] = await Promise.all([
    ctx.askResolver(url.hostname, 'A'),
    ctx.askResolver(url.hostname, 'AAAA'),
  ]);
  const subject = url.href.slice(0, 300);
  const addresses = addressesOf(v4, v6);
  const lost = [v4, v6].find(({ status }) => isUnknown(status));
  if (addresses.length === 0 && lost !== undefined) return [unknown(lost, { subject })];
  const { allowed } = splitReachable(addresses, ctx.deps.connectPrivate ?? ctx.deps.privateNetwork);
  if (allowed.length === 0) return [info(asked, `${url.hostname} has no public address.`, { subject })];
  const maxBytes = judge === judgeLogo ? mostLogoBytes : mostMarkBytes;
  const response = await fetch({ url, addresses: allowed.slice(0, 4), maxBytes, timeoutMs });
  if (!response.ok && (response.reason === 'timeout' || response.reason === 'network'))
    return [{ ...info(asked, 'It could not be fetched from here.', { subject }), status: 'unknown' }];
  const problem = served(response) ?? (response.ok ? judge(response.body, ctx.deps.now()) : undefined);
  return problem === undefined ? [] : [info(asked, problem, { subject, ...details })];
}

function served(response: PinnedResponse): string | undefined {
  if (!response.ok) return `It cannot be fetched over HTTPS: ${response.detail}.`;
  if (response.tooLong) return 'It is larger than receivers take.';
  return response.status === 200 ? undefined : `It is not served: HTTP ${response.status}.`;
}

const judgeLogo: Judge = (body) => {
  const root = /<svg\b[^>]*>/i.exec(body)?.[0];
  if (root === undefined) return 'What is served is no SVG.';
  if (!/\bbaseProfile\s*=\s*["']tiny-ps["']/i.test(root))
    return 'The SVG does not say baseProfile="tiny-ps".';
  if (/<script\b|<image\b|\bxlink:href\s*=\s*["'](?!#)/i.test(body))
    return 'The SVG holds scripts, images or links, which its profile forbids.';
  return /<title\b[^>]*>\s*\S/i.test(body) ? undefined : 'The SVG has no title.';
};

const judgeMark: Judge = (body, now) => {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(body);
  } catch (error) {
    if (error instanceof Error) return 'The mark certificate (a=) is no PEM certificate.';
    throw error;
  }
  const days = Math.floor((Date.parse(certificate.validTo) - now) / 86_400_000);
  if (days < 0) return 'The mark certificate (a=) has expired.';
  return days < 30 ? `The mark certificate (a=) ends in ${days} days.` : undefined;
};
