import type { UserAction, UserOptions } from '../cli/commands/user.js';
import type { Outcome, Run } from '../cli/outcome.js';
import { parseUserList } from '../config/user-list.js';
import { Exit, SetupError } from '../errors.js';
import { mailStoreScript, parseMailStore } from '../facts/mail-store.js';
import { parseAddress, parseAddressOrAll, parseMailbox } from '../lib/names.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { parseSize } from '../lib/size.js';
import {
  hasLogin,
  type NewUser,
  planNewPassword,
  planNewUsers,
  planQuota,
  planRemoval,
  planSwitch,
} from '../plan/plan-accounts.js';
import { planMailDeletion } from '../plan/plan-mail-deletion.js';
import type { WantedMailbox } from '../plan/plan-mailboxes.js';
import { renderChanged, renderUsers, usersDocument } from '../ui/report/accounts.js';
import { type ChangeOutcome, type ChangeRequest, changeServer, readServer } from './change-server.js';
import { choosePassword, makePassword } from './choose-password.js';
import { connectServer } from './connect-server.js';
import { owePasswords } from './owed-password.js';
import { openSession, type Session } from './session.js';
import { syncBackups } from './sync-backups.js';

/** A list of 10 000 mailboxes with hashes is about 2 MB. */
const maxListBytes = 8 * 1024 * 1024;

/** `user`: mailboxes and logins, which live on the server only. */
export const runUser: Run<UserOptions> = async (context, options) => {
  const { action } = options;
  const session = await openSession(context, options);
  switch (action.kind) {
    case 'list':
      return list(session);
    case 'add':
      return add(session, action, options.yes);
    case 'passwd':
      return passwd(session, action, options.yes);
    case 'quota':
      return quota(session, action, options.yes);
    case 'rm':
      return remove(session, action, options.yes);
    default: {
      const { kind } = action;
      const addresses = [...new Set(action.addresses.map((address) => parseAddress(address)))];
      const request: ChangeRequest = {
        command: `user-${kind}`,
        yes: options.yes,
        plan: async ({ accounts }) => planSwitch(accounts, addresses, kind),
      };
      return change(session, request, { addresses: true });
    }
  }
};

async function list(session: Session): Promise<Outcome> {
  const { accounts } = await readServer(session, await connectServer(session, session.answers));
  session.context.io.print(renderUsers(session.context.io, accounts));
  return { exit: Exit.ok, document: usersDocument(accounts) };
}

async function add(
  session: Session,
  action: Extract<UserAction, { kind: 'add' }>,
  yes: boolean,
): Promise<Outcome> {
  const wanted = await readWanted(session, action);
  const generated: WantedMailbox[] = [];
  const ready = new Map<string, NewUser>();
  const request: ChangeRequest = {
    command: 'user-add',
    yes,
    async plan({ accounts }) {
      // Nobody is asked for the password of a mailbox that cannot be made, or is there already.
      const placeholder = { kind: 'password' as const, value: makePassword(session) };
      planNewUsers(
        accounts,
        wanted.map((user) => ({ ...user, credential: user.credential ?? placeholder })),
      );
      for (const { address, credential, senders } of wanted) {
        if (ready.has(address) || hasLogin(accounts, address)) continue;
        ready.set(address, {
          address,
          credential: credential ?? (await choose(session, action, address, generated)),
          ...(senders === undefined ? {} : { senders }),
        });
      }
      const users = wanted.map(
        (user) => ready.get(user.address) ?? { ...user, credential: user.credential ?? placeholder },
      );
      return planNewUsers(accounts, users);
    },
  };
  return change(session, request, { generated, addresses: true });
}

type Wanted = Omit<NewUser, 'credential'> & { credential: NewUser['credential'] | undefined };

async function readWanted(
  session: Session,
  { addresses, csv, senders, generate }: Extract<UserAction, { kind: 'add' }>,
): Promise<Wanted[]> {
  const { answers, context } = session;
  if ((csv === undefined) === (addresses.length === 0))
    throw usage('Name the mailboxes to create, or give a list with --csv.');
  if (csv !== undefined) {
    if (senders !== undefined) throw usage('--sender is for one login, not for a list.');
    const users = parseUserList(await context.files.read(csv, '--csv', maxListBytes));
    for (const { credential } of users)
      if (credential?.kind === 'password') context.redactor.add(credential.value);
    return users;
  }
  if (addresses.length > 1 && !generate && answers.passwordFile !== undefined)
    throw usage('One password file is for one mailbox.');
  if (addresses.length > 1 && senders !== undefined) throw usage('--sender is for one login at a time.');
  return [...new Set(addresses.map((address) => parseMailbox(address).address))].map((address) => ({
    address,
    credential: undefined,
    ...(senders === undefined ? {} : { senders: senders.map(parseAddressOrAll) }),
  }));
}

async function choose(
  session: Session,
  { csv, generate }: Extract<UserAction, { kind: 'add' }>,
  address: string,
  generated: WantedMailbox[],
): Promise<NewUser['credential']> {
  const { password, generated: made } = await choosePassword(session, address, generate || csv !== undefined);
  if (made) generated.push({ address, password });
  return { kind: 'password', value: password };
}

async function passwd(
  session: Session,
  { address: given, generate }: Extract<UserAction, { kind: 'passwd' }>,
  yes: boolean,
): Promise<Outcome> {
  const address = parseAddress(given);
  const generated: WantedMailbox[] = [];
  let chosen: Awaited<ReturnType<typeof choosePassword>> | undefined;
  const request: ChangeRequest = {
    command: 'user-passwd',
    yes,
    async plan({ accounts }) {
      if (chosen === undefined && hasLogin(accounts, address)) {
        chosen = await choosePassword(session, address, generate);
        if (chosen.generated) generated.push({ address, password: chosen.password });
      }
      return planNewPassword(accounts, address, chosen?.password ?? makePassword(session));
    },
  };
  return change(session, request, { generated, addresses: false });
}

async function quota(
  session: Session,
  { address: given, size }: Extract<UserAction, { kind: 'quota' }>,
  yes: boolean,
): Promise<Outcome> {
  const address = parseAddress(given);
  const bytes = size === 'default' ? size : parseSize(size);
  if (bytes === undefined)
    throw usage(`${sanitizeLine(size, 40)} is no size such as 500M, 5G, none or default.`, 'quota');
  const request: ChangeRequest = {
    command: 'user-quota',
    yes,
    plan: async ({ accounts }) => planQuota(accounts, address, { text: size, bytes }),
  };
  return change(session, request, { addresses: false });
}

async function remove(
  session: Session,
  { addresses: given, deleteMail }: Extract<UserAction, { kind: 'rm' }>,
  yes: boolean,
): Promise<Outcome> {
  const addresses = [...new Set(given.map((address) => parseAddress(address)))];
  const request: ChangeRequest = {
    command: 'user-rm',
    yes,
    async plan({ accounts }, connection) {
      const removal = planRemoval(accounts, addresses, deleteMail ? 'deleted' : 'stays');
      if (!deleteMail) return removal;
      const { stdout } = await connection.exec('sh -s', {
        root: true,
        stdin: mailStoreScript(addresses),
        signal: session.context.signal,
      });
      const deletion = planMailDeletion(parseMailStore(stdout));
      return { ...removal, steps: [...removal.steps, ...deletion.steps] };
    },
  };
  return change(session, request, { addresses: true });
}

interface Effects {
  /** Passwords that were made up for it; the plan adds them. */
  generated?: readonly WantedMailbox[];
  /** Which addresses there are: backup servers know them, too. */
  addresses: boolean;
}

/** The passwords are shown before anything else can go wrong; a document is printed when all is over. */
async function change(
  session: Session,
  request: ChangeRequest,
  { generated = [], addresses }: Effects,
): Promise<Outcome> {
  const { io, signal } = session.context;
  return owePasswords(
    io,
    signal,
    () => generated,
    async (owed) => {
      const outcome = await changeServer(session, { ...request, onReach: owed.reach });
      const result = report(session, outcome, generated);
      if (!io.json) owed.shown();
      if (outcome.changed && addresses) await syncBackups(session, outcome.hostname);
      owed.shown();
      return result;
    },
  );
}

/** Generated passwords are shown here, once; stdout is for them, as text or in the document. */
function report({ context }: Session, outcome: ChangeOutcome, generated: readonly WantedMailbox[]): Outcome {
  const { io } = context;
  const { changed, change, hostname, roundTrips } = outcome;
  io.print(renderChanged(io, { changed, hostname, steps: change.steps }));
  const passwords = (changed ? generated : []).map(({ address, password }) => ({
    address,
    password: password.reveal(),
  }));
  if (passwords.length > 0) {
    const lines = passwords.map(({ address, password }) => `${address},${password}`);
    io.print(['', 'Passwords, shown this once (address,password):', ...lines].join('\n'));
  }
  const steps = change.steps.map(({ id, title, preview }) => ({
    id,
    title,
    ...(preview ? { preview } : {}),
  }));
  const document = { changed, hostname, roundTrips, steps, notes: change.notes };
  return { exit: Exit.ok, document: passwords.length > 0 ? { ...document, passwords } : document };
}

function usage(what: string, command = 'add'): SetupError {
  return new SetupError({
    code: 'E_USAGE',
    exit: Exit.usage,
    what,
    fix: [`smtp-setup user ${command} --help shows how.`],
  });
}
