import type { Known } from '../config/questions.js';
import { canonicalName } from '../dns/canonical.js';
import { type Recognised, recogniseProvider } from '../dns/providers/index.js';
import { manual } from '../dns/providers/manual.js';
import { type Answer, isUnknown, type Resolver } from '../dns/resolver/index.js';
import { sanitizeLine } from '../lib/sanitize.js';

export interface DnsSuggestion extends Pick<Known, 'recognisedDns' | 'offeredDns' | 'unrecognisedDns'> {
  /** What to say about it before the question. */
  dnsNote?: string;
}

/** The DNS provider of a domain, by the names of its name servers. */
export async function recogniseDns(recursive: Resolver, domain: string): Promise<DnsSuggestion> {
  let name = canonicalName(domain);
  let silent: Answer | undefined;
  let absent: Answer | undefined;
  // The zone may begin above the domain: ask upwards, never the top-level domain itself.
  for (; name.includes('.'); name = name.slice(name.indexOf('.') + 1)) {
    const answer = await recursive.resolve(name, 'NS');
    const servers = answer.records.flatMap(({ data }) => (data.type === 'NS' ? [data.target] : []));
    if (servers.length > 0) return suggestDns(recogniseProvider(servers), servers);
    if (isUnknown(answer.status)) silent ??= answer;
    else absent = answer;
  }
  const why = explainNothing(silent ?? absent);
  return why === undefined
    ? {}
    : { unrecognisedDns: why, dnsNote: `The DNS provider could not be found out: ${why}.` };
}

/** Why no name servers were found; a clause. */
function explainNothing(answer: Answer | undefined): string | undefined {
  if (answer === undefined) return undefined;
  const { name, status, via, detail } = answer;
  if (isUnknown(status)) {
    const reason = sanitizeLine(detail ?? status, 200);
    return `the ${via} gave no answer about ${name} (${reason})`;
  }
  return status === 'nxdomain'
    ? `${name} does not exist in DNS, says the ${via}`
    : `${name} has no name servers, says the ${via}`;
}

/** Where there is no API to use, the records can still be entered by hand; unknown servers may be the user's own. */
function suggestDns(recognised: Recognised, servers: readonly string[]): DnsSuggestion {
  switch (recognised.kind) {
    case 'supported':
      return { recognisedDns: recognised.provider.id };
    case 'unsupported':
      return {
        recognisedDns: manual.id,
        offeredDns: manual.id,
        dnsNote: `The zone is at ${recognised.title}. ${recognised.why} You will be shown the records to enter there (--dns ${manual.id}).`,
      };
    case 'unknown': {
      const names = servers.map((name) => sanitizeLine(name, 100)).join(', ');
      return {
        unrecognisedDns: `its name servers (${names}) belong to no provider that is known here; ${manual.id} always works`,
        dnsNote: `The name servers (${names}) belong to no provider that is known here; choosing "${manual.title}" always works.`,
        offeredDns: manual.id,
      };
    }
  }
}
