import type { Finding, Status } from '../checks/check.js';
import type { Secret } from '../config/secret.js';
import type { PlannedChange } from '../dns/zone-plan.js';
import { type FeedbackProgram, feedbackPrograms } from '../mail/feedback.js';
import type { SummaryView } from '../ui/report/summary.js';
import type { FullPlan } from './make-plan.js';

export interface SummaryInput {
  plan: FullPlan;
  written: readonly PlannedChange[];
  findings: readonly Finding[];
  generatedPassword?: Secret;
  command: string;
}

const operations = { create: 'created', update: 'changed', delete: 'deleted' } as const;

/** What stands at the end: what was done, what was seen from outside, and how to go on. */
export function summarize(input: SummaryInput): SummaryView {
  const { plan, written, findings } = input;
  const { hostname } = plan;
  const added = plan.server.steps.flatMap(({ id }) =>
    id.startsWith('mailbox:') ? [id.slice('mailbox:'.length)] : [],
  );
  const packages = plan.server.steps.flatMap(({ id, preview = [] }) =>
    id.startsWith('packages') ? preview : [],
  );
  const mailbox = added[0];
  const domain = plan.intent.input.domains[0]?.name ?? hostname;
  const sendsOnly = plan.models.model.profile === 'send-only';
  return {
    headline:
      packages.length === 0
        ? `${hostname} is as planned.`
        : sendsOnly
          ? `${hostname} sends mail for ${domain}.`
          : `${hostname} is a mail server for ${domain}.`,
    installed: packages,
    records: written.flatMap(({ op, after, before }) => {
      const record = after ?? before;
      return record === undefined ? [] : [{ op: operations[op], record }];
    }),
    proof: groupProof(findings),
    ...(mailbox === undefined
      ? {}
      : {
          client: {
            username: mailbox,
            imap: { host: hostname, port: 993, security: 'TLS' as const },
            submission: [
              { host: hostname, port: 465, security: 'TLS' as const },
              { host: hostname, port: 587, security: 'STARTTLS' as const },
            ],
            ...automaticSettings(plan, mailbox),
          },
        }),
    ...(input.generatedPassword === undefined ? {} : { generatedPassword: input.generatedPassword }),
    manual: plan.manual,
    feedback: feedbackOf(input),
    next: [
      { command: 'smtp-setup check dns', does: 'prove at any moment that DNS is as it should be' },
      sendsOnly
        ? {
            command: `smtp-setup user add APP@${domain} --sender NAME@${domain}`,
            does: 'give an application its login',
          }
        : { command: `smtp-setup init --mailbox NAME@${domain}`, does: 'add a mailbox' },
      { command: 'smtp-setup plan', does: 'show what has drifted' },
    ],
  };
}

/** What serves the mailbox's settings over HTTPS. */
function automaticSettings(
  { intent }: FullPlan,
  mailbox: string,
): { automatic: ('Thunderbird' | 'Outlook')[]; profile?: string } {
  const domain = mailbox.slice(mailbox.lastIndexOf('@') + 1);
  const web = intent.web.get(domain);
  return {
    automatic: [
      ...(web?.autoconfig ? ['Thunderbird' as const] : []),
      ...(web?.autodiscover ? ['Outlook' as const] : []),
    ],
    // Other characters have no place in the web server's pattern for addresses (templates/web/nginx.conf.eta).
    ...(web?.autoconfig && /^[A-Za-z0-9._+=-]{1,64}@/.test(mailbox)
      ? { profile: `https://autoconfig.${domain}/apple.mobileconfig?email=${mailbox}` }
      : {}),
  };
}

/** Said once for a new server, a new domain, or another way out. */
function feedbackOf({ plan, command }: SummaryInput): FeedbackProgram[] {
  const isNew = plan.server.steps.some(({ id }) => id === 'packages');
  if (!isNew && !['domain-add', 'relay-set', 'relay-off'].includes(command)) return [];
  const { ipv4, ipv6 } = plan.addresses;
  const relayed = plan.models.model.relays?.some(({ domain }) => domain === undefined) ?? false;
  const { domains } = plan.intent.input;
  return feedbackPrograms({
    domains: domains.map(({ name }) => name),
    // What leaves through a provider leaves from the provider's addresses.
    addresses: relayed ? [] : [ipv4, ipv6].filter((address) => address !== undefined),
    receives: domains.some(({ mail }) => mail === 'full'),
  });
}

const worst: readonly Status[] = ['fail', 'warn', 'unknown', 'info', 'pass'];

/** One line a question: the worst answer, and where it was asked. */
function groupProof(findings: readonly Finding[]): SummaryView['proof'] {
  const titles = [...new Set(findings.map(({ title }) => title))];
  return titles.map((title) => {
    const own = findings.filter((finding) => finding.title === title);
    const status =
      worst.find((candidate) => own.some((finding) => finding.status === candidate)) ?? 'unknown';
    const relevant = own.filter((finding) => finding.status === status);
    const places =
      relevant.length > 2 ? `${relevant.length} places` : relevant.map(({ subject }) => subject).join(', ');
    return { title, status, detail: `${relevant[0]?.message ?? ''} (${places})` };
  });
}
