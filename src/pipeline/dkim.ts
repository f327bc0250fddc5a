import { join } from 'node:path';
import type { DkimOptions } from '../cli/commands/dkim.js';
import type { Outcome, Run } from '../cli/outcome.js';
import { saveLock } from '../config/load.js';
import { keyWaitDays, type Lock } from '../config/lock.js';
import { isWithin } from '../dns/canonical.js';
import { openFileJournal } from '../dns/journal-file.js';
import { installIdOf } from '../dns/mark.js';
import { isSameDkimKey } from '../dns/merge/dkim.js';
import { planRemoval } from '../dns/plan-removal.js';
import type { DnsRecord } from '../dns/record.js';
import { chooseSelector, dkimName, dkimText } from '../dns/records/dkim.js';
import { type AuthoritativeResolver, isUnknown } from '../dns/resolver/index.js';
import { Exit, SetupError } from '../errors.js';
import type { Facts } from '../facts/index.js';
import { readSomeFacts } from '../facts/read-facts.js';
import { parseDomain } from '../lib/names.js';
import { type KeyView, renderKeys } from '../ui/report/dkim.js';
import { applyConfig } from './apply.js';
import { chooseServer } from './choose-servers.js';
import { connectServer } from './connect-server.js';
import { removeKeyStep } from './domain.js';
import { openResolvers } from './open-resolvers.js';
import type { Preparation } from './prepare-journey.js';
import { describeChanged, ownValues, type ZoneRemoval } from './remove-records.js';
import { openSession, type Session } from './session.js';
import { domainsOf, type ZoneSurvey } from './survey.js';

/** `dkim`: the keys, and their change, one stage at a time. What a run leaves undone the next one finishes. */
export const runDkim: Run<DkimOptions> = async (context, options) => {
  const { action } = options;
  const session = await openSession(context, { ...options, needsConfig: true });
  if (action.kind === 'list') return list(session);
  const { config, hostname } = chooseServer(session, session.answers);
  const all = domainsOf(config, hostname).map(([name]) => name);
  const chosen = [...new Set(action.domains.map((name) => parseDomain(name)))];
  const strange = chosen.filter((name) => !all.includes(name));
  if (strange.length > 0 || (chosen.length === 0 && all.length !== 1)) throw whichDomain(strange, all);
  const names = chosen.length === 0 ? all : chosen;
  const consents = {
    allowUpdate: false,
    allowDelete: false,
    allowUnproxy: false,
    onConflict: 'stop' as const,
  };
  return applyConfig(session, {
    config,
    hostname,
    consents,
    yes: options.yes,
    command: 'dkim-rotate',
    prepare: ({ facts }, zones) => prepareRotation(session, names, hostname, facts, zones),
  });
};

/** Where each domain stands, and what is to be done about it now. */
async function prepareRotation(
  session: Session,
  names: readonly string[],
  hostname: string,
  { dkim }: Facts,
  zones: readonly ZoneSurvey[],
): Promise<Preparation> {
  const { context, lock } = session;
  const now = context.clock();
  const next = new Map<string, string>();
  const retired = new Map<string, string>();
  const waiting: { domain: string; until: string }[] = [];
  for (const name of names) {
    const signing = dkim.signing.find(({ domain }) => domain === name)?.selector;
    if (signing === undefined) throw notSigning(name);
    const rotation = lock.domains[name]?.rotation;
    if (rotation === undefined) {
      const month = new Date(now).toISOString().slice(0, 7).replace('-', '');
      const taken = dkim.keys
        .filter(({ domain }) => domain === name)
        .map((key) => keyRecord(name, key.selector));
      next.set(name, chooseSelector(`s${month}`, name, [...zones.flatMap(({ live }) => live), ...taken]));
    } else if (rotation.switched === undefined) next.set(name, rotation.to);
    else {
      const until = Date.parse(rotation.switched) + keyWaitDays * 86_400_000;
      if (now >= until) retired.set(name, rotation.from);
      else waiting.push({ domain: name, until: new Date(until).toISOString().slice(0, 10) });
    }
  }
  for (const { domain, until } of waiting) {
    const { from, to } = lock.domains[domain]?.rotation ?? { from: '', to: '' };
    context.io.print(
      `${domain} is signed with ${to}; the key ${from} stays until ${until}, for mail that is under way. Run this again then.`,
    );
  }
  if (next.size + retired.size === 0)
    return { outcome: { exit: Exit.ok, document: { changed: false, waiting } } };
  const removals = await Promise.all(
    [...retired].map(([name, selector]) =>
      planKeyRemoval(session, zones, { hostname, domain: name, selector, keys: dkim.keys }),
    ),
  );
  return {
    request: {
      nextDkim: next,
      retiredDkim: retired,
      first: [...retired].map(([name, selector]) => removeKeyStep(name, selector)),
    },
    journey: {
      removals,
      // Written down before the first change: whatever ends this run, the next one knows what it was about.
      onConsent: async () => {
        const begun = withRotations(lock, next, dkim);
        session.lock.domains = begun.domains;
        await saveLock(session.configPath, begun);
      },
      adjustLock: (after) => withoutRotations(after, retired),
    },
  };
}

function withRotations(lock: Lock, next: ReadonlyMap<string, string>, { signing }: Facts['dkim']): Lock {
  const domains = { ...lock.domains };
  for (const [name, to] of next) {
    const from = signing.find(({ domain }) => domain === name)?.selector ?? '';
    const entry = domains[name] ?? { dkim: [] };
    domains[name] = { ...entry, rotation: entry.rotation ?? { from, to } };
  }
  return { ...lock, domains };
}

function withoutRotations(lock: Lock, retired: ReadonlyMap<string, string>): Lock {
  const domains = { ...lock.domains };
  for (const name of retired.keys()) {
    const { rotation: _done, ...entry } = domains[name] ?? { dkim: [] };
    domains[name] = entry;
  }
  return { ...lock, domains };
}

interface KeyRemoval {
  hostname: string;
  domain: string;
  selector: string;
  keys: Facts['dkim']['keys'];
}

async function planKeyRemoval(
  { context, lock }: Session,
  zones: readonly ZoneSurvey[],
  { hostname, domain, selector, keys }: KeyRemoval,
): Promise<ZoneRemoval> {
  const survey = [...zones]
    .filter(({ zone }) => isWithin(domain, zone.name))
    .sort((a, b) => b.zone.name.length - a.zone.name.length)[0];
  if (survey === undefined) throw new Error(`no zone of ${domain} was read`);
  const journal = openFileJournal(join(context.stateDir, 'dns'));
  const { changes, changed } = planRemoval({
    live: survey.live,
    journal: await journal.read(survey.zone.name),
    names: [dkimName(selector, domain)],
    except: [],
    installId: installIdOf(hostname),
    values: ownValues(lock, domain, keys),
  });
  const own = changed.length === 0 && changes.length === 0;
  const stranger = own && survey.live.some(({ name }) => name === dkimName(selector, domain));
  const notes = stranger ? [`${dkimName(selector, domain)} was not written by smtp-setup and stays.`] : [];
  return { survey, changes, notes: [...describeChanged(changed), ...notes] };
}

async function list(session: Session): Promise<Outcome> {
  const { context, lock, answers } = session;
  const { config, hostname } = chooseServer(session, answers);
  const names = domainsOf(config, hostname).map(([name]) => name);
  const [{ connection }, resolvers] = await Promise.all([
    connectServer(session, answers),
    openResolvers(session, names),
  ]);
  const { dkim } = await readSomeFacts(connection, ['dkim'], context.signal);
  const keys = await Promise.all(
    dkim.keys
      .filter(({ domain }) => names.includes(domain))
      .map(async ({ domain, selector, publicKey }): Promise<KeyView> => {
        const rotation = lock.domains[domain]?.rotation;
        const signs = dkim.signing.some((entry) => entry.domain === domain && entry.selector === selector);
        const visible = await isVisible(resolvers.authoritative, dkimName(selector, domain), publicKey);
        if (signs) return { domain, selector, state: 'signs', visible };
        if (rotation?.to === selector) return { domain, selector, state: 'coming', visible };
        if (rotation?.from !== selector || rotation.switched === undefined)
          return { domain, selector, state: 'unused', visible };
        const until = new Date(Date.parse(rotation.switched) + keyWaitDays * 86_400_000)
          .toISOString()
          .slice(0, 10);
        return { domain, selector, state: 'old', visible, until };
      }),
  );
  context.io.print(renderKeys(context.io, keys));
  return { exit: Exit.ok, document: { keys } };
}

/** What all the zone's servers show; one that did not answer says nothing about the record. */
async function isVisible(
  authoritative: AuthoritativeResolver,
  name: string,
  publicKey: string,
): Promise<KeyView['visible']> {
  const answers = await authoritative.resolveEach(name, 'TXT');
  const shown = answers.map(({ status, lame, records }): KeyView['visible'] => {
    if (isUnknown(status) || lame) return 'unknown';
    const texts = records.flatMap(({ data }) => (data.type === 'TXT' ? [data.text] : []));
    return texts.length === 1 && isSameDkimKey(texts[0] ?? '', dkimText(publicKey)) ? 'yes' : 'no';
  });
  if (shown.includes('no')) return 'no';
  return shown.length === 0 || shown.includes('unknown') ? 'unknown' : 'yes';
}

function keyRecord(domain: string, selector: string): DnsRecord {
  return { name: dkimName(selector, domain), ttl: 60, data: { type: 'TXT', text: '' } };
}

function whichDomain(strange: readonly string[], all: readonly string[]): SetupError {
  return new SetupError({
    code: strange.length > 0 ? 'E_DOMAIN_UNKNOWN' : 'E_USAGE',
    exit: Exit.usage,
    what:
      strange.length > 0
        ? `${strange.join(', ')} is none of this server's domains.`
        : 'It is not clear which domain is meant.',
    evidence: [`The server handles ${all.join(', ') || 'none'}.`],
    fix: ['Name one or several of them; nothing was changed.'],
  });
}

function notSigning(name: string): SetupError {
  return new SetupError({
    code: 'E_DKIM_NOT_SIGNING',
    exit: Exit.usage,
    what: `Mail of ${name} is not signed yet; there is no key to change.`,
    fix: ['Finish what was begun: smtp-setup apply'],
  });
}
