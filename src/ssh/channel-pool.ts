import type { Client, ClientChannel } from 'ssh2';
import { Exit, messageOf, SetupError } from '../errors.js';
import { lostConnection } from './failures.js';

/** Lets in as many commands at once as the server takes. */
export interface ChannelPool {
  /** Opens a channel for `line`, runs `use` on it and hands the place on. `onOpen` is called at each channel opened. */
  run<T>(line: string, use: (channel: ClientChannel) => Promise<T>): Promise<T>;
}

// OpenSSH's MaxSessions is 10; two places stay free for a person's own shell over a shared connection.
const MOST_CHANNELS = 8;
const RETRY_DELAYS_MS = [50, 200, 500, 1000];

/**
 * When the server refuses a channel while others run (MaxSessions), the pool shrinks to what was granted and the refused
 * one waits for a place. A refusal with nothing else running is retried shortly: the server may still be
 * clearing away the last session.
 */
export function createChannelPool(
  client: Client,
  host: string,
  wait: (ms: number) => Promise<void>,
  failure: () => SetupError | undefined,
): ChannelPool {
  let running = 0;
  let places = MOST_CHANNELS;
  const queue: (() => void)[] = [];

  const enter = async () => {
    while (running >= places) await new Promise<void>((go) => queue.push(go));
    running++;
  };
  const leave = () => {
    running--;
    // All of them look again: how many places there are may have changed meanwhile.
    for (const go of queue.splice(0)) go();
  };

  const open = (line: string) =>
    new Promise<ClientChannel>((resolve, reject) => {
      const lost = failure();
      if (lost) throw lost;
      client.exec(line, (error, channel) => (error ? reject(error) : resolve(channel)));
    });

  return {
    async run(line, use) {
      for (let refusals = 0; ; ) {
        await enter();
        try {
          let channel: ClientChannel;
          try {
            channel = await open(line);
          } catch (error) {
            const lost = failure();
            if (lost) throw lost;
            if (/^(Not connected|No response from server)/.test(messageOf(error)))
              throw lostConnection(host, error);
            if (!isOpenRefusal(error)) throw refused(host, error);
            if (running > 1) places = Math.max(1, running - 1);
            else {
              const delay = RETRY_DELAYS_MS[refusals++];
              if (delay === undefined) throw refused(host, error);
              await wait(delay);
            }
            continue;
          }
          return await use(channel);
        } finally {
          leave();
        }
      }
    },
  };
}

function isOpenRefusal(error: unknown): boolean {
  return error instanceof Error && 'reason' in error;
}

function refused(host: string, cause: unknown): SetupError {
  return new SetupError({
    code: 'E_SSH_CHANNEL',
    exit: Exit.failed,
    what: `${host} refuses to run commands over this SSH connection.`,
    evidence: [messageOf(cause)],
    fix: [
      'Check MaxSessions and ForceCommand in sshd_config, and "command=" before the key in authorized_keys.',
    ],
    cause,
  });
}
