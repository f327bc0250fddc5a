import { join } from 'node:path';
import type { DomainAction, DomainOptions } from '../cli/commands/domain.js';
import type { Outcome, Run } from '../cli/outcome.js';
import { keyWaitDays, type Lock } from '../config/lock.js';
import type { Config } from '../config/schema.js';
import { completeAnswers } from '../config/wizard.js';
import { isWithin } from '../dns/canonical.js';
import { openFileJournal } from '../dns/journal-file.js';
import { installIdOf } from '../dns/mark.js';
import { planRemoval } from '../dns/plan-removal.js';
import { providers } from '../dns/providers/index.js';
import { usualAge } from '../dns/records/mta-sts.js';
import { Exit, SetupError } from '../errors.js';
import type { AccountsState } from '../facts/accounts.js';
import type { Facts } from '../facts/index.js';
import { parseDomain } from '../lib/names.js';
import type { ServerStep } from '../plan/step.js';
import { alignColumns } from '../ui/text.js';
import { applyConfig } from './apply.js';
import { chooseServer } from './choose-servers.js';
import { recogniseDns } from './recognise-dns.js';
import { describeChanged, ownValues, type ZoneRemoval } from './remove-records.js';
import { openSession, type Session } from './session.js';
import type { ZoneSurvey } from './survey.js';

/** `domain`: a line of the configuration, and all that follows from it. */
export const runDomain: Run<DomainOptions> = async (context, options) => {
  const { action } = options;
  const name = action.kind === 'list' ? undefined : parseDomain(action.domain);
  const flags =
    name === undefined || action.kind === 'rm' ? options.flags : { ...options.flags, domain: name };
  const session = await openSession(context, { ...options, flags, needsConfig: true });
  if (name === undefined) return list(session);
  if (action.kind === 'add') return add(session, name, action, options);
  return remove(session, name, options);
};

function list({ loaded, lock, context, answers }: Session): Outcome {
  const domains = Object.entries(loaded?.config.domains ?? {}).flatMap(([name, { server, mail, dns }]) => {
    const host = server ?? Object.keys(loaded?.config.servers ?? {})[0] ?? '';
    if (answers.hostname?.origin.from === 'flag' && answers.hostname.value !== host) return [];
    return [
      {
        domain: name,
        server: host,
        mail,
        dns,
        dkim: (lock.domains[name]?.dkim ?? []).map(({ selector }) => selector),
      },
    ];
  });
  const rows = domains.map(({ domain, server, mail, dns, dkim }) => [
    domain,
    server,
    mail,
    dns,
    dkim.join(', '),
  ]);
  context.io.print(rows.length === 0 ? 'There are no domains.' : alignColumns(rows).join('\n'));
  const removed = Object.entries(lock.removed ?? {}).map(([domain, { at, dkim }]) => ({ domain, at, dkim }));
  for (const { domain, at } of removed)
    context.io.print(`${domain} was removed on ${at.slice(0, 10)}; its DKIM key is still published.`);
  return { exit: Exit.ok, document: { domains, removed } };
}

async function add(
  session: Session,
  name: string,
  { mail, separate }: Extract<DomainAction, { kind: 'add' }>,
  options: DomainOptions,
): Promise<Outcome> {
  const recursive = await session.context.createResolver(session.answers.resolver?.value);
  const { dnsNote, ...dns } = session.answers.dns === undefined ? await recogniseDns(recursive, name) : {};
  if (dnsNote !== undefined) session.context.io.say(dnsNote);
  const known = { domain: name, ...dns, dnsProviders: providers };
  const answers = await completeAnswers(session.asker, ['dns'], session.answers, known);
  const { config, hostname } = chooseServer(session, answers);
  const domain = config.domains[name];
  if (domain === undefined) throw new Error(`the answers made no domain ${name}`);
  if (domain.server !== undefined && domain.server !== hostname) throw elsewhere(name, domain.server);
  if (mail === 'full' && config.servers[hostname]?.profile === 'send-only') throw takesNoMail(hostname);
  return applyConfig(
    { ...session, answers },
    {
      config: {
        ...config,
        domains: {
          ...config.domains,
          [name]: { ...domain, ...(mail === undefined ? {} : { mail }), ...(separate ? { separate } : {}) },
        },
      },
      hostname,
      consents: options.consents,
      yes: options.yes,
      command: 'domain-add',
      prepare: () => ({ journey: { adjustLock: (lock) => withoutRemoved(lock, name) } }),
    },
  );
}

function takesNoMail(hostname: string): SetupError {
  return new SetupError({
    code: 'E_PROFILE',
    exit: Exit.usage,
    what: `${hostname} only sends: mail to a domain cannot come there.`,
    fix: ['Leave --mail full out; its mail goes where it goes today. Nothing was changed.'],
  });
}

async function remove(session: Session, name: string, options: DomainOptions): Promise<Outcome> {
  const { context, lock } = session;
  const { config: before, hostname } = chooseServer(session, session.answers);
  const known = before.domains[name];
  const waiting = lock.removed?.[name];
  if (known === undefined && waiting === undefined) throw unknown(before, name);
  const due = waiting !== undefined && context.clock() >= Date.parse(waiting.at) + keyWaitDays * 86_400_000;
  if (known === undefined && waiting !== undefined && !due) {
    const day = new Date(Date.parse(waiting.at) + keyWaitDays * 86_400_000).toISOString().slice(0, 10);
    context.io.print(
      `${name} is gone already; its DKIM record stays until ${day}, for mail that is under way. Run this again then.`,
    );
    return { exit: Exit.ok, document: { changed: false, domain: name, until: day } };
  }
  const { [name]: _gone, ...domains } = before.domains;
  if (Object.keys(domains).length === 0) throw last(name);
  const config: Config = { ...before, domains };
  // The zone is still surveyed with the provider that the file named for it.
  const surveyed: Config = known === undefined ? withZone(config, before, name) : before;
  return applyConfig(session, {
    config: surveyed,
    hostname,
    consents: options.consents,
    yes: options.yes,
    command: 'domain-rm',
    finalConfig: config,
    async prepare({ facts }, zones) {
      refuseInUse(facts.accounts, name);
      const keys = facts.dkim.keys.filter(({ domain }) => domain === name);
      const selectors = keys.map(({ selector }) => selector);
      const removal = await planZoneRemoval(session, zones, { config, known, hostname, name, due, keys });
      return {
        request: due ? { first: keyRemovals(name, selectors) } : {},
        journey: {
          removals: [removal],
          adjustLock: (now) => {
            const { [name]: _known, ...others } = now.domains;
            const left = { ...now, domains: others };
            if (due || keys.length === 0) return withoutRemoved(left, name);
            const entry = {
              at: new Date(context.clock()).toISOString(),
              zone: removal.survey.zone.name,
              dkim: selectors,
            };
            return { ...left, removed: { ...left.removed, [name]: entry } };
          },
        },
      };
    },
  });
}

interface DomainRemoval {
  /** Without the domain. */
  config: Config;
  /** What the configuration said of it. */
  known: Config['domains'][string] | undefined;
  hostname: string;
  name: string;
  /** The time of its DKIM keys is over, too. */
  due: boolean;
  keys: Facts['dkim']['keys'];
}

async function planZoneRemoval(
  { context, lock }: Session,
  zones: readonly ZoneSurvey[],
  { config, known, hostname, name, due, keys }: DomainRemoval,
): Promise<ZoneRemoval> {
  const survey = [...zones]
    .filter(({ zone }) => isWithin(name, zone.name))
    .sort((a, b) => b.zone.name.length - a.zone.name.length)[0];
  if (survey === undefined) throw new Error(`no zone of ${name} was read`);
  const journal = openFileJournal(join(context.stateDir, 'dns'));
  const hosts = Object.keys(config.servers);
  const { changes, changed } = planRemoval({
    live: survey.live,
    journal: await journal.read(survey.zone.name),
    names: [name],
    except: [...hosts, ...Object.keys(config.domains).filter((other) => !isWithin(name, other))],
    installId: installIdOf(hostname),
    keepRoles: due ? [] : ['dkim'],
    values: ownValues(lock, name, keys),
  });
  return {
    survey,
    changes,
    notes: [
      ...describeChanged(changed),
      ...(due ? [] : [waitingNote(name)]),
      ...policyNote(lock, known, name),
    ],
  };
}

/** RFC 8461 section 8.3: a policy outlives its record in the memory of senders. */
export function policyNote(
  { domains }: Pick<Lock, 'domains'>,
  known: Config['domains'][string] | undefined,
  name: string,
): string[] {
  if (domains[name]?.mtaSts?.mode !== 'enforce') return [];
  const maxAge = known?.mtaSts?.maxAge ?? usualAge.enforce;
  const days = Math.ceil(maxAge / 86_400);
  return [
    `Senders remember for up to ${days} days that mail for ${name} must be delivered here. If it moves elsewhere, first set mtaSts: { mode: none } below domains.${name} in smtp-setup.yaml, run smtp-setup apply, and wait for as long.`,
  ];
}

const waitingNote = (name: string): string =>
  `The DKIM record of ${name} stays for ${keyWaitDays} days, for mail that is under way; run this again then.`;

function keyRemovals(name: string, selectors: readonly string[]): ServerStep[] {
  return selectors.map((selector) => removeKeyStep(name, selector));
}

export function removeKeyStep(domain: string, selector: string): ServerStep {
  return {
    id: `dkim-remove:${domain}/${selector}`,
    run: 'install',
    title: `Remove the DKIM key ${selector} of ${domain}`,
    reason: 'nothing is signed with it any more',
    calls: [{ fn: 'dkim_remove_key', args: [domain, selector] }],
  };
}

function withoutRemoved(lock: Lock, name: string): Lock {
  const { [name]: _gone, ...removed } = lock.removed ?? {};
  const { removed: _all, ...rest } = lock;
  return Object.keys(removed).length === 0 ? rest : { ...rest, removed };
}

function withZone(config: Config, before: Config, name: string): Config {
  // A domain that left the file has no provider there: its neighbour's is the best guess, and a wrong one finds no zone.
  const [neighbour] = Object.values(before.domains);
  if (neighbour === undefined) return config;
  return { ...config, domains: { ...config.domains, [name]: { ...neighbour } } };
}

function refuseInUse({ mailboxes, logins, aliases }: AccountsState, name: string): void {
  const used = [
    ...mailboxes.map((address) => [address, `smtp-setup user rm ${address}`] as const),
    ...logins.map(({ address }) => [address, `smtp-setup user rm ${address}`] as const),
    ...aliases.map(({ address }) => [address, `smtp-setup alias rm ${address}`] as const),
  ].filter(([address]) => address.endsWith(`@${name}`));
  if (used.length === 0) return;
  throw new SetupError({
    code: 'E_DOMAIN_IN_USE',
    exit: Exit.usage,
    what: `${name} still has mailboxes or aliases.`,
    evidence: used.slice(0, 20).map(([address]) => address),
    fix: [...used.slice(0, 20).map(([, fix]) => fix), 'The stored mail stays. Nothing was changed.'],
  });
}

function unknown(config: Config, name: string): SetupError {
  return new SetupError({
    code: 'E_DOMAIN_UNKNOWN',
    exit: Exit.usage,
    what: `The configuration has no domain ${name}.`,
    evidence: [`It has ${Object.keys(config.domains).join(', ') || 'none'}.`],
    fix: ['Check the spelling; nothing was changed.'],
  });
}

function last(name: string): SetupError {
  return new SetupError({
    code: 'E_DOMAIN_LAST',
    exit: Exit.usage,
    what: `${name} is the only domain of this configuration.`,
    fix: ['Add another one first, or take everything back with smtp-setup uninstall.'],
  });
}

function elsewhere(name: string, server: string): SetupError {
  return new SetupError({
    code: 'E_DOMAIN_ELSEWHERE',
    exit: Exit.usage,
    what: `${name} is handled by ${server} already.`,
    fix: [`Change server: below domains.${name} in smtp-setup.yaml, and run smtp-setup apply.`],
  });
}
