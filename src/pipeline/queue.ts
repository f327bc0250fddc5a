import type { QueueAction, QueueOptions } from '../cli/commands/queue.js';
import type { Outcome, Run } from '../cli/outcome.js';
import { Exit, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { parseQueue, type QueuedMessage, queueIdForm } from '../logs/parse-queue.js';
import type { Connection } from '../ssh/connection.js';
import { cancelledError } from '../ui/cancelled.js';
import { queueDocument, renderQueue, renderQueuedMessage } from '../ui/report/queue.js';
import { connectServer } from './connect-server.js';
import { openSession, type Session } from './session.js';

/** `queue`: Postfix's own tools, on one connection. */
export const runQueue: Run<QueueOptions> = async (context, options) => {
  const { action } = options;
  checkIds(action);
  const session = await openSession(context, options);
  const { connection } = await connectServer(session, session.answers);
  switch (action.kind) {
    case 'list':
      return list(session, connection);
    case 'show':
      return show(session, connection, action.id);
    case 'flush':
      return flush(session, connection, action.ids);
    default:
      return change(session, connection, action, options.yes);
  }
};

async function list({ context }: Session, connection: Connection): Promise<Outcome> {
  const messages = await readQueue(connection);
  context.io.print(renderQueue(context.io, messages, context.clock() / 1000));
  return { exit: Exit.ok, document: queueDocument(messages) };
}

async function show({ context }: Session, connection: Connection, id: string): Promise<Outcome> {
  const { code, stdout, stderr } = await connection.exec(`postcat -qeh ${id}`, {
    root: true,
    maxOutput: 4 * 1024 * 1024,
  });
  if (code !== 0) throw code === 127 ? noPostfix() : notThere([id], stderr);
  context.io.print(renderQueuedMessage(context.io, stdout));
  return { exit: Exit.ok, document: { id, text: stdout } };
}

async function flush({ context }: Session, connection: Connection, ids: readonly string[]): Promise<Outcome> {
  const before = await readQueue(connection);
  const due = ids.length === 0 ? before : pick(before, ids);
  const commands = ids.length === 0 ? ['postqueue -f'] : ids.map((id) => `postqueue -i ${id}`);
  // A message on hold is not tried, whatever is said.
  const tried = due.filter(({ queue }) => queue !== 'hold');
  if (tried.length > 0) await run(connection, commands.join(' && '));
  const held = due.length - tried.length;
  const note = held > 0 ? `; ${held} on hold (smtp-setup queue release)` : '';
  context.io.print(`Tried again: ${tried.length}${note}. smtp-setup queue list shows what became of it.`);
  return { exit: Exit.ok, document: { tried: tried.map(({ id }) => id), held } };
}

const verbs = {
  rm: { option: '-d', title: 'Delete', done: 'Deleted' },
  hold: { option: '-h', title: 'Hold', done: 'On hold' },
  release: { option: '-H', title: 'Release', done: 'Released' },
} as const;

async function change(
  session: Session,
  connection: Connection,
  { kind, ids, all }: Extract<QueueAction, { all: boolean }>,
  yes: boolean,
): Promise<Outcome> {
  const { io, clock } = session.context;
  const verb = verbs[kind];
  const queue = await readQueue(connection);
  const due = (all ? queue : pick(queue, ids)).filter(({ queue: place }) =>
    kind === 'rm' ? true : (place === 'hold') === (kind === 'release'),
  );
  if (due.length === 0) {
    io.print('Nothing to change.');
    return { exit: Exit.ok, document: { changed: false, ids: [] } };
  }
  io.say(`${verb.title}:\n${renderQueue(io, due, clock() / 1000)}`);
  if (!yes) {
    const message = kind === 'rm' ? 'Delete for good? Their senders are not told.' : `${verb.title} these?`;
    const agreed = await session.asker.confirm({
      key: 'queue',
      message,
      default: kind !== 'rm',
      flag: '--yes',
    });
    if (!agreed) throw cancelledError();
  }
  // Ids over stdin: what came in between is not touched, and the list may be long.
  await run(connection, `postsuper ${verb.option} -`, `${due.map(({ id }) => id).join('\n')}\n`);
  // What was delivered in between is not there to be changed; the queue tells.
  const after = new Map((await readQueue(connection)).map((message) => [message.id, message.queue]));
  const failed = due.filter(({ id }) => {
    const place = after.get(id);
    if (place === undefined) return false;
    return kind === 'rm' || (place === 'hold') !== (kind === 'hold');
  });
  if (failed.length > 0) {
    throw new SetupError({
      code: 'E_QUEUE',
      exit: Exit.failed,
      what: `${failed.length} of ${due.length} messages are as they were.`,
      evidence: failed.slice(0, 10).map(({ id }) => id),
      fix: ['Run again: a message that is being delivered cannot be changed.'],
    });
  }
  io.print(`${verb.done}: ${due.length}`);
  return { exit: Exit.ok, document: { changed: true, ids: due.map(({ id }) => id) } };
}

/** Everything that waits. Throws E_NO_POSTFIX (exit 5). */
export async function readQueue(connection: Connection): Promise<QueuedMessage[]> {
  return parseQueue(await run(connection, 'postqueue -j'));
}

async function run(connection: Connection, command: string, stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await connection.exec(command, {
    root: true,
    maxOutput: 64 * 1024 * 1024,
    ...(stdin === undefined ? {} : { stdin }),
  });
  if (code === 0) return stdout;
  if (code === 127) throw noPostfix();
  throw new SetupError({
    code: 'E_QUEUE',
    exit: Exit.failed,
    what: "Postfix's queue could not be read or changed.",
    evidence: stderr.split('\n', 3).map((line) => sanitizeLine(line)),
    fix: ['Look at the server: systemctl status postfix'],
  });
}

function pick(queue: readonly QueuedMessage[], ids: readonly string[]): QueuedMessage[] {
  const missing = ids.filter((id) => !queue.some((message) => message.id === id));
  if (missing.length > 0) throw notThere(missing);
  return queue.filter(({ id }) => ids.includes(id));
}

function checkIds(action: QueueAction): void {
  const ids = 'ids' in action ? action.ids : 'id' in action ? [action.id] : [];
  const odd = ids.filter((id) => !queueIdForm.test(id));
  if (odd.length > 0) throw usage(`${sanitizeLine(odd.join(', '), 80)} is no queue id.`);
  if ('all' in action && action.all === ids.length > 0)
    throw usage('Name the messages by their queue ids, or give --all.');
}

function usage(what: string): SetupError {
  return new SetupError({
    code: 'E_USAGE',
    exit: Exit.usage,
    what,
    fix: ['smtp-setup queue list shows the ids.'],
  });
}

function notThere(ids: readonly string[], said = ''): SetupError {
  return new SetupError({
    code: 'E_QUEUE_ID',
    exit: Exit.usage,
    what: `There is no message ${ids.join(', ')} in the queue.`,
    evidence: said === '' ? [] : [sanitizeLine(said)],
    fix: ['It may have been delivered meanwhile: smtp-setup queue list', 'Nothing was changed.'],
  });
}

function noPostfix(): SetupError {
  return new SetupError({
    code: 'E_NO_POSTFIX',
    exit: Exit.unsuitable,
    what: 'There is no Postfix on this server.',
    fix: ['Set it up: smtp-setup init'],
  });
}
