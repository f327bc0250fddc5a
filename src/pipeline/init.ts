import type { InitOptions } from '../cli/commands/init.js';
import type { Context } from '../cli/context.js';
import type { Run } from '../cli/outcome.js';
import type { Answers } from '../config/answers.js';
import { refuseUnwritable } from '../config/atomic-write.js';
import { mergeAnswers } from '../config/merge-answers.js';
import type { QuestionKey } from '../config/questions.js';
import { completeAnswers, missingError } from '../config/wizard.js';
import { providers } from '../dns/providers/index.js';
import type { Resolver } from '../dns/resolver/index.js';
import { reverseNameOf } from '../dns/reverse-name.js';
import { Exit, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { rememberHostKey } from '../ssh/remember-host-key.js';
import { renderPreflight } from '../ui/report/preflight.js';
import { askBlockLists } from './ask-block-lists.js';
import { askAboutForeignMx } from './ask-foreign-mx.js';
import { readConsents } from './consents.js';
import { offerMenu } from './init-menu.js';
import { answersForLogin, recogniseServer, refuseOtherMachine } from './known-servers.js';
import { type MailboxAnswer, missingPassword, readMailboxPassword } from './mailbox-password.js';
import { offerRelay } from './offer-relay.js';
import { missingCredentials, requireProvider } from './open-provider.js';
import { openResolvers } from './open-resolvers.js';
import { preflight, type Reached, reachServer, settleRunning, worthShowing } from './prepare.js';
import { recogniseDns } from './recognise-dns.js';
import { travel } from './road.js';
import { openSession, type Session } from './session.js';
import { domainsOf, surveyZones } from './survey.js';
import { prepareForeignPostfix, prepareTakeOver } from './take-over.js';

/** `init`: finds out, asks the rest, and travels the road; on a finished server it only adds what is new. */
export const runInit: Run<InitOptions> = async (context, options) => {
  let consents = readConsents(options.consents);
  const given = await openSession(context, options);
  const { asker } = given;
  const { io } = context;
  const menu = await offerMenu(given, context, options);
  if ('done' in menu) return menu.done;
  // Before anybody answers eight questions for a file that cannot be kept.
  await refuseUnwritable(given.configPath);
  const session =
    menu.wizard === 'another'
      ? withoutFile(given)
      : { ...given, answers: answersForLogin(given, given.answers) };
  refuseMailbox(session);
  const recursive = await context.createResolver(session.answers.resolver?.value);
  await refuseMissing(session, recursive);

  let answers = await completeAnswers(asker, ['ssh'], session.answers, {});
  const reached = await reachServer(session, answers, { egress: 'when-fresh' });
  const known = recogniseServer(session, reached);
  if (answers.hostname === undefined && known !== undefined)
    answers = { ...answers, hostname: { value: known, origin: { from: 'file', path: session.configPath } } };
  answers = await completeAnswers(asker, ['domain'], answers, {});
  const domain = answers.domain?.value ?? '';
  const { dnsNote, ...dns } = await recogniseDns(recursive, domain);
  if (dnsNote !== undefined && answers.dns === undefined) io.say(dnsNote);
  answers = await completeAnswers(asker, ['hostname', 'dns'], answers, {
    ...(await readNames(recursive, reached)),
    ...dns,
    dnsProviders: providers,
  });
  refuseOtherMachine(session, answers, reached);
  const mailbox = sendsOnly(session, answers) ? undefined : await askMailbox(session, answers, reached);
  answers = pinHostKey(answers, reached);

  const hostname = answers.hostname?.value ?? '';
  let config = mergeAnswers(session.loaded?.config, answers);
  const server = config.servers[hostname];
  if (server === undefined) throw new Error(`the answers made no server ${hostname}`);
  if (mailbox !== undefined)
    refuseForeignMailbox(
      mailbox.address,
      domainsOf(config, hostname).map(([name]) => name),
    );
  const resolvers = await openResolvers(session, [hostname, ...Object.keys(config.domains)]);
  const [zones, listings] = await Promise.all([
    surveyZones(session, config, hostname, resolvers),
    askBlockLists(reached, config, hostname, resolvers),
  ]);
  ({ config, consents } = await askAboutForeignMx(asker, { config, hostname, zones, consents }));
  config = prepareTakeOver(config, hostname, zones, consents);
  const settled = await settleRunning(session, reached, await context.createProgress());
  config = prepareForeignPostfix(config, hostname, settled.facts, options.consents.onConflict);
  const fresh = settled.facts.state.manifest === 'absent';
  const offered = await offerRelay({ ...session, answers }, settled, config, hostname);
  config = offered.config;
  preflight(settled, hostname, config.servers[hostname] ?? server, listings, (findings) => {
    const shown = fresh ? findings : worthShowing(findings, io.verbose);
    if (shown.length > 0) io.say(renderPreflight(io, shown));
  });
  return travel({
    session,
    reached: settled,
    zones,
    resolvers,
    request: {
      config,
      hostname,
      answers,
      mailboxes: mailbox === undefined ? [] : [mailbox],
      relayLogins: offered.logins,
      consents,
      onConflict: options.consents.onConflict,
    },
    yes: options.yes,
    command: 'init',
    ...(mailbox?.generated ? { generated: mailbox } : {}),
    onConsent: () => fileHostKey(context, reached),
  });
};

/** What the file says of the servers that are finished is no answer about another one. */
function withoutFile(session: Session): Session {
  const others = Object.entries(session.answers).filter(([, { origin }]) => origin.from !== 'file');
  return { ...session, answers: Object.fromEntries(others) };
}

/** Without a terminal: everything that is missing, in one message, before anything is contacted but DNS. */
async function refuseMissing(session: Session, recursive: Resolver): Promise<void> {
  if (session.asker.interactive) return;
  const { answers } = session;
  const keys: QuestionKey[] = [
    'ssh',
    'domain',
    ...(session.loaded === undefined && !sendsOnly(session, answers) ? (['mailbox'] as const) : []),
  ];
  const domain = answers.domain?.value;
  const found =
    answers.dns === undefined && domain !== undefined ? await recogniseDns(recursive, domain) : {};
  const dns = answers.dns?.value ?? found.recognisedDns;
  const also = [
    ...(dns === undefined ? [] : await missingCredentials(session, requireProvider(dns))),
    ...(sendsOnly(session, answers) ? [] : await missingPassword(session, answers)),
  ];
  if (dns === undefined && domain !== undefined) keys.push('dns');
  const missing = keys.filter((key) => answers[key] === undefined);
  if (missing.length === 0 && also.length > 0) throw missingError(also);
  await completeAnswers(session.asker, keys, answers, found, also);
}

/** The profile that was asked for, else what the configuration says of the server. */
function sendsOnly({ loaded }: Session, { profile, hostname }: Answers): boolean {
  const known = hostname === undefined ? undefined : loaded?.config.servers[hostname.value]?.profile;
  return (profile?.origin.from === 'flag' ? profile.value : (known ?? profile?.value)) === 'send-only';
}

/** Throws E_NO_MAILBOXES (exit 2). */
function refuseMailbox(session: Session): void {
  const { mailbox } = session.answers;
  if (mailbox === undefined || !sendsOnly(session, session.answers)) return;
  const domain = mailbox.value.slice(mailbox.value.lastIndexOf('@') + 1);
  throw new SetupError({
    code: 'E_NO_MAILBOXES',
    exit: Exit.usage,
    what: 'A server that only sends has no mailboxes.',
    evidence: [`asked for ${mailbox.value}, with the profile send-only`],
    fix: [
      `Leave --mailbox out; afterwards give each application a login: smtp-setup user add app@${domain} --sender ${mailbox.value}`,
      'Nothing was changed.',
    ],
  });
}

/** Mailboxes are asked for on a server that has none, and added when one is named. */
async function askMailbox(
  session: Session,
  answers: Answers,
  { facts }: Reached,
): Promise<MailboxAnswer | undefined> {
  const needed = facts.accounts.mailboxes.length === 0 || answers.mailbox !== undefined;
  if (!needed) return undefined;
  const complete = await completeAnswers(session.asker, ['mailbox'], answers, {});
  const address = complete.mailbox?.value;
  if (address === undefined) return undefined;
  return readMailboxPassword(session, address, { exists: facts.accounts.mailboxes.includes(address) });
}

/** A mailbox of a domain that lives elsewhere would never get mail. Throws E_MAILBOX_DOMAIN (exit 2). */
function refuseForeignMailbox(address: string, domains: readonly string[]): void {
  const domain = address.slice(address.lastIndexOf('@') + 1);
  if (domains.includes(domain)) return;
  throw new SetupError({
    code: 'E_MAILBOX_DOMAIN',
    exit: Exit.usage,
    what: `${domain} is none of this server's domains.`,
    evidence: [`asked for ${address}; this server handles ${domains.join(', ')}`],
    fix: ['Give a mailbox of one of these domains; nothing was changed.'],
  });
}

/** The key that was checked on the way in is what the configuration will hold the server to. */
function pinHostKey(answers: Answers, { link }: Reached): Answers {
  if (answers.hostKey !== undefined) return answers;
  const { fingerprint } = link.connection.hostKey;
  return { ...answers, hostKey: { value: fingerprint, origin: { from: 'detected' } } };
}

/** The configuration holds the fingerprint, so that a home folder which cannot be written stops nothing. */
async function fileHostKey({ io }: Context, { link }: Reached): Promise<void> {
  try {
    await rememberHostKey(link.connection.hostKey);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    io.say(
      [error.message, ...error.evidence, ...error.fix].map((line) => sanitizeLine(line, 1000)).join('\n  '),
    );
  }
}

async function readNames(
  recursive: Resolver,
  { facts, link }: Reached,
): Promise<{ serverHostname?: string; ptr?: string }> {
  const own = facts.hostName.fqdn || facts.hostName.static;
  const reverse = reverseNameOf(facts.addresses.ipv4 ?? link.connection.remoteAddress);
  const answer = reverse === undefined ? undefined : await recursive.resolve(reverse, 'PTR');
  const ptr = answer?.records.flatMap(({ data }) => (data.type === 'PTR' ? [data.target] : []))[0];
  return {
    ...(own === '' ? {} : { serverHostname: own }),
    ...(ptr === undefined ? {} : { ptr }),
  };
}
