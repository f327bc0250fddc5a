import type { MailEvent } from './event.js';
import { type Explanation, explainAnswer } from './explain.js';
import { isProbe, type Story } from './track.js';

export interface Counts {
  sent: number;
  deferred: number;
  bounced: number;
}

export interface AnswerSummary {
  /** As it was said, once, without what differs from message to message. */
  example: string;
  dsn: string;
  /** How often it was said, and to how many recipients. */
  count: number;
  recipients: number;
  outcome: 'deferred' | 'bounced';
  domains: readonly string[];
  explanation?: Explanation;
}

/** What went out, what came in and what went wrong. Plain data. */
export interface MailReport {
  /** Seconds since 1970. */
  since: number;
  until: number;
  /** Mail of this domain only. */
  domain?: string;
  out: Counts & { byDomain: readonly (Counts & { domain: string })[] };
  in: Counts & { refused: number; refusals: readonly { reason: string; count: number }[] };
  bySender: readonly (Counts & { sender: string })[];
  byDay: readonly (Counts & { day: string; received: number })[];
  answers: readonly AnswerSummary[];
  failedLogins: { count: number; clients: readonly { client: string; count: number }[] };
}

export interface ReportInput {
  since: number;
  until: number;
  domain?: string;
  stories: readonly Story[];
  failedLogins: readonly Extract<MailEvent, { kind: 'login-failed' }>[];
}

type Delivery = Extract<MailEvent, { kind: 'delivery' }>;

/** The last word about each recipient counts: who was put off and then got it, got it. Pure. */
export function summarizeMail(input: ReportInput): MailReport {
  const out = new Tally();
  const incoming = { sent: 0, deferred: 0, bounced: 0, refused: 0 };
  const senders = new Tally();
  const days = new Map<string, Counts & { received: number }>();
  const answers = new Map<
    string,
    { summary: AnswerSummary; recipients: Set<string>; domains: Set<string> }
  >();
  const refusals = new Map<string, number>();
  for (const story of input.stories) {
    if (isProbe(story)) continue;
    for (const { time, event, last } of deliveriesOf(story)) {
      const outside = event.agent !== 'lmtp' && event.agent !== 'local';
      if (outside && event.status !== 'sent') note(answers, event);
      if (!last) continue;
      const outcome = outcomeOf(event);
      const day = dayOf(days, time);
      if (outside) {
        out.add(domainOf(event.to), outcome);
        senders.add(story.login ?? (story.from || 'bounces and reports'), outcome);
        day[outcome] += 1;
      } else {
        incoming[outcome] += 1;
        day.received += outcome === 'sent' ? 1 : 0;
      }
    }
    for (const { event } of story.events) {
      if (event.kind !== 'rejected') continue;
      incoming.refused += 1;
      const reason = shapeOf(event.answer);
      refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
    }
  }
  const clients = new Map<string, number>();
  for (const { client } of input.failedLogins) clients.set(client, (clients.get(client) ?? 0) + 1);
  return {
    since: input.since,
    until: input.until,
    ...(input.domain === undefined ? {} : { domain: input.domain }),
    out: { ...out.total, byDomain: out.rows().map(({ key, ...counts }) => ({ domain: key, ...counts })) },
    in: { ...incoming, refusals: ranked(refusals).map(([reason, count]) => ({ reason, count })) },
    bySender: senders.rows().map(({ key, ...counts }) => ({ sender: key, ...counts })),
    byDay: [...days].sort(([a], [b]) => (a < b ? -1 : 1)).map(([day, counts]) => ({ day, ...counts })),
    answers: [...answers.values()]
      .map(({ summary, recipients, domains }) => ({
        ...summary,
        recipients: recipients.size,
        domains: [...domains].sort(),
      }))
      .sort((a, b) => b.recipients - a.recipients || b.count - a.count),
    failedLogins: {
      count: input.failedLogins.length,
      clients: ranked(clients).map(([client, count]) => ({ client, count })),
    },
  };
}

/**
 * The mail that one domain sent or got, and the logins in it that failed: a look-alike domain has a name of its own to
 * watch. Pure.
 */
export function onlyDomain(
  { stories, failedLogins }: Pick<ReportInput, 'stories' | 'failedLogins'>,
  domain: string,
): Pick<ReportInput, 'stories' | 'failedLogins'> {
  const isOf = (address: string | undefined): boolean =>
    address !== undefined && domainOf(address) === domain;
  return {
    stories: stories.filter(
      ({ from, login, recipients }) => isOf(from || login) || [...recipients].some(isOf),
    ),
    failedLogins: failedLogins.filter(({ login }) => isOf(login)),
  };
}

function* deliveriesOf(story: Story): Generator<{ time: number; event: Delivery; last: boolean }> {
  const latest = new Map<string, MailEvent>();
  for (const { event } of story.events) if (event.kind === 'delivery') latest.set(event.to, event);
  for (const { time, event } of story.events) {
    if (event.kind === 'delivery') yield { time, event, last: latest.get(event.to) === event };
  }
}

function outcomeOf({ status }: Delivery): keyof Counts {
  return status === 'expired' ? 'bounced' : status;
}

class Tally {
  readonly total: Counts = { sent: 0, deferred: 0, bounced: 0 };
  readonly #rows = new Map<string, Counts>();

  add(key: string, outcome: keyof Counts): void {
    const row = this.#rows.get(key) ?? { sent: 0, deferred: 0, bounced: 0 };
    row[outcome] += 1;
    this.total[outcome] += 1;
    this.#rows.set(key, row);
  }

  rows(): (Counts & { key: string })[] {
    const sum = ({ sent, deferred, bounced }: Counts): number => sent + deferred + bounced;
    return [...this.#rows]
      .map(([key, counts]) => ({ key, ...counts }))
      .sort((a, b) => sum(b) - sum(a) || (a.key < b.key ? -1 : 1));
  }
}

function note(
  answers: Map<string, { summary: AnswerSummary; recipients: Set<string>; domains: Set<string> }>,
  event: Delivery,
): void {
  const example = shapeOf(event.answer);
  const outcome = event.status === 'deferred' ? 'deferred' : 'bounced';
  const key = `${outcome} ${event.dsn} ${example}`;
  const explanation = explainAnswer(event.answer);
  const entry = answers.get(key) ?? {
    summary: {
      example,
      dsn: event.dsn,
      count: 0,
      recipients: 0,
      outcome,
      domains: [],
      ...(explanation === undefined ? {} : { explanation }),
    },
    recipients: new Set<string>(),
    domains: new Set<string>(),
  };
  entry.summary.count += 1;
  entry.recipients.add(event.to);
  entry.domains.add(domainOf(event.to));
  answers.set(key, entry);
}

/** An answer without addresses, hosts and numbers of the single message, so that the same words count together. */
export function shapeOf(answer: string): string {
  return answer
    .slice(0, 1000)
    .replace(/^host \S+ (?:said|refused to talk to me): /, '')
    .replace(/ \(in reply to [^)]*\)$/, '')
    .replace(/<[^<>\s]*@[^<>\s]*>/g, '<…>')
    .replace(/\b[\w.+-]+@[\w.-]+\b/g, '…')
    .replace(/\[[0-9a-fA-F.:]+\](?::\d+)?/g, '[…]')
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, '…')
    .replace(/\b(?=[\w-]*\d)(?=[\w-]*[a-z])[\w-]{12,}(?:\.[\w-]+)?\b/gi, '…');
}

function dayOf(
  days: Map<string, Counts & { received: number }>,
  time: number,
): Counts & { received: number } {
  const day = new Date(time * 1000).toISOString().slice(0, 10);
  const counts = days.get(day) ?? { sent: 0, deferred: 0, bounced: 0, received: 0 };
  days.set(day, counts);
  return counts;
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}

function ranked(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
