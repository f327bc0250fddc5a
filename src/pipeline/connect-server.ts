import type { Answers } from '../config/answers.js';
import { findPlaced } from '../config/placed-path.js';
import { Exit, SetupError } from '../errors.js';
import type { SshConnector } from '../ssh/connect.js';
import type { SshConnection } from '../ssh/ssh2-connection.js';
import type { Session } from './session.js';

export interface ServerLink {
  connection: SshConnection;
  /** Connects again after a cut. */
  connector: SshConnector;
}

/** Logs in to the server that the answers name. Throws SetupError (exit 2) for everything that stands in the way. */
export async function connectServer(session: Session, answers: Answers): Promise<ServerLink> {
  const { context } = session;
  const target = answers.ssh?.value;
  if (target === undefined) throw noServer(session);
  const identity = answers.identity?.value;
  const connector = await context.createConnector({
    target,
    log: (level, message) => {
      if (level === 'warn' || context.io.verbose) context.io.say(message);
    },
    ...(identity === undefined
      ? {}
      : { identity: findPlaced(identity, session.configPath, context.homeDir) }),
    ...(answers.hostKey === undefined ? {} : { hostKey: answers.hostKey.value }),
  });
  return { connection: await connector.connect(context.signal), connector };
}

function noServer({ configPath, loaded }: Session): SetupError {
  const hosts = Object.keys(loaded?.config.servers ?? {});
  const [evidence, fix] =
    loaded === undefined
      ? [
          `There is no ${configPath}, and --ssh was not given.`,
          'Another file: --config FILE. None yet: smtp-setup init',
        ]
      : [`${configPath} names ${hosts.join(', ') || 'none'}.`, 'Choose one: --hostname NAME'];
  return new SetupError({
    code: 'E_NO_SERVER',
    exit: Exit.usage,
    what: 'It is not clear which server is meant.',
    evidence: [evidence],
    fix: [fix, 'Or say how to log in: --ssh [USER@]HOST[:PORT]'],
  });
}
