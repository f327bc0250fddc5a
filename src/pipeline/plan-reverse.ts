import { readCredentials, secretsOf } from '../config/credentials.js';
import { messageOf, SetupError } from '../errors.js';
import type { Dmi } from '../facts/dmi.js';
import type { HostingApi, ReverseNames } from '../hosting/hosting-api.js';
import { findHostingApi } from '../hosting/index.js';
import { recogniseHosting, unknownHosting } from '../hosting/providers.js';
import { openReverseJournal, type ReverseJournal } from '../hosting/reverse-journal.js';
import type { ManualStep } from '../plan/step.js';
import { contextFor } from './open-provider.js';
import type { Session } from './session.js';
import type { ZoneSurvey } from './survey.js';

/** A reverse name (PTR) that the hosting provider's API will set. */
export interface ReverseChange {
  address: string;
  before?: string;
  after: string;
  /** Whose API. */
  at: string;
}

export type ReverseVerdict =
  | { kind: 'set'; change: ReverseChange }
  /** The provider has it already; the DNS will show it when its caches have run out. */
  | { kind: 'right' }
  | { kind: 'manual'; step: ManualStep };

/** What can be done about a reverse name that is not the host name. */
export interface ReversePlanner {
  judge(address: string, found: string | undefined): Promise<ReverseVerdict>;
  set(change: ReverseChange): Promise<void>;
}

export interface ReverseDeps {
  dmi: Dmi;
  hostname: string;
  /** `--allow-update`: a name that somebody chose may be changed. */
  allowUpdate: boolean;
  /** Undefined when there are no credentials for the API. */
  open(api: HostingApi): Promise<ReverseNames | undefined>;
  /** Remembers what was set, for `undo`. */
  journal: ReverseJournal;
  clock(): Date;
  signal: AbortSignal;
}

/**
 * The planner for a server: with the API of whoever runs it, when credentials for it are there anyway (the DNS provider's,
 * or in the environment), else with what to do by hand. Nobody is asked for a token only because of this.
 */
export function openReversePlanner(
  session: Session,
  dmi: Dmi,
  hostname: string,
  zones: readonly ZoneSurvey[],
  allowUpdate: boolean,
): ReversePlanner {
  const { context } = session;
  return createReversePlanner({
    dmi,
    hostname,
    allowUpdate,
    open: (api) => openReverseNames(session, api, zones),
    journal: openReverseJournal(context.stateDir),
    clock: () => new Date(context.clock()),
    signal: context.signal,
  });
}

export function createReversePlanner(deps: ReverseDeps): ReversePlanner {
  const { dmi, hostname } = deps;
  const api = findHostingApi(dmi);
  let opened: Promise<ReverseNames | undefined> | undefined;
  const open = async () => {
    opened ??= api && deps.open(api);
    return opened;
  };
  const byHand = (address: string, found: string | undefined, why?: string): ReverseVerdict => ({
    kind: 'manual',
    step: ptrStep(dmi, address, found, hostname, why),
  });
  return {
    async judge(address, found) {
      if (api === undefined) return byHand(address, found);
      let entry: Awaited<ReturnType<ReverseNames['read']>>;
      try {
        const names = await open();
        if (names === undefined) return byHand(address, found);
        entry = await names.read(address);
      } catch (error) {
        if (!(error instanceof SetupError) || deps.signal.aborted) throw error;
        return byHand(address, found, `${messageOf(error)} (${error.evidence[0] ?? error.code})`);
      }
      if (entry === undefined)
        return byHand(address, found, `The ${api.title} token belongs to another project than the server.`);
      if (entry.name === hostname) return { kind: 'right' };
      if (!entry.isDefault && !deps.allowUpdate)
        return byHand(
          address,
          entry.name,
          'Somebody chose that name, so it is left alone; --allow-update lets it be changed.',
        );
      const before = entry.name === undefined ? {} : { before: entry.name };
      return { kind: 'set', change: { address, ...before, after: hostname, at: api.title } };
    },
    async set({ address, before, after }) {
      const names = await open();
      if (api === undefined || names === undefined)
        throw new Error('there is no API that could set a reverse name');
      const at = deps.clock().toISOString();
      const id = `${at}-${address}`;
      const write = { hostname, hosting: api.hosting, address, after };
      await deps.journal.append({
        kind: 'write',
        id,
        at,
        ...write,
        ...(before === undefined ? {} : { before }),
      });
      try {
        await names.set(address, after);
      } catch (error) {
        // An answer that was lost is no refusal: what is there now tells, before anybody can enter the name by hand.
        const ok = isRefusal(error) ? false : await isThere(names, address, after);
        if (ok !== undefined)
          await deps.journal.append({
            kind: 'result',
            id,
            at,
            ok,
            ...(ok ? {} : { error: messageOf(error) }),
          });
        throw error;
      }
      await deps.journal.append({ kind: 'result', id, at, ok: true });
    },
  };
}

const isRefusal = (error: unknown): boolean => error instanceof SetupError && error.code === 'E_DNS_TOKEN';

/** Undefined when that cannot be found out now. */
async function isThere(names: ReverseNames, address: string, name: string): Promise<boolean | undefined> {
  try {
    return (await names.read(address))?.name === name;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** The names of an account, with the credentials that are there anyway; undefined when there are none. */
export async function openReverseNames(
  session: Session,
  { account, open }: HostingApi,
  zones: readonly ZoneSurvey[],
): Promise<ReverseNames | undefined> {
  const { env, files, redactor } = session.context;
  const used = zones.find((zone) => zone.open.definition.id === account.id);
  if (used) return open(contextFor(session, account, used.open.credentials));
  const { given, missing } = await readCredentials(account, env, files);
  if (missing.length > 0) return undefined;
  for (const secret of secretsOf(account, given)) redactor.add(secret);
  return open(contextFor(session, account, given));
}

function ptrStep(
  dmi: Dmi,
  address: string,
  found: string | undefined,
  hostname: string,
  why: string | undefined,
): ManualStep {
  const hosting = recogniseHosting(dmi);
  return {
    id: `ptr:${address}`,
    title: `Set the reverse name (PTR) of ${address} to ${hostname}`,
    detail: [
      found === undefined ? 'It has none now.' : `It is ${found} now.`,
      ...(why === undefined ? [] : [why]),
      (hosting ?? unknownHosting).ptr,
      'Gmail and others refuse mail from addresses whose reverse name does not lead back to them.',
    ],
  };
}
