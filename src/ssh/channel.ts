import type { ClientChannel } from 'ssh2';
import { Exit, SetupError } from '../errors.js';
import type { ExecOptions, ExecResult } from './connection.js';
import { cancelled } from './failures.js';
import { createMarkerFilter } from './marker.js';

export interface ChannelRun {
  marker: string;
  options: ExecOptions;
  /**
   * What to send before the caller's stdin, and when. Resolves false when the caller's stdin must not be sent.
   * Without it the caller's stdin goes out at once.
   */
  greet?(talk: ChannelTalk): Promise<boolean>;
}

/** What a greeting (the sudo dialogue) can see and do. */
export interface ChannelTalk {
  send(text: string): void;
  /** Resolves at the marker (`ready`), at new text on stderr before it (`stderr`), or at the end (`closed`). */
  next(): Promise<'ready' | 'stderr' | 'closed'>;
  readonly stderrSoFar: string;
}

export interface ChannelOutcome extends ExecResult {
  /** Whether the marker came, that is, whether our shell ran at all. */
  ready: boolean;
  /** What was printed before the marker. */
  noiseOut: string;
  noiseErr: string;
  /** The server never told how the command ended: the line broke. */
  unfinished: boolean;
}

const DEFAULT_MAX_OUTPUT = 16 * 1024 * 1024;

/** Feeds one open channel, collects what it says, and waits for its end. Rejects on abort and on too much output. */
export async function runChannel(channel: ClientChannel, run: ChannelRun): Promise<ChannelOutcome> {
  const { options } = run;
  const out = createMarkerFilter(run.marker);
  const err = createMarkerFilter(run.marker);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const limit = options.maxOutput ?? DEFAULT_MAX_OUTPUT;
  let size = 0;
  let wake: () => void = () => undefined;
  let ended = false;
  let consumed: Promise<void> | undefined;

  return new Promise<ChannelOutcome>((resolve, reject) => {
    const stop = (error: unknown) => {
      finish();
      channel.close();
      reject(error);
    };
    const onAbort = () => stop(cancelled(options.signal));
    const finish = () => {
      ended = true;
      options.signal?.removeEventListener('abort', onAbort);
      wake();
    };
    const keep = (list: Buffer[], part: Buffer) => {
      if (part.length === 0 || ended) return;
      size += part.length;
      if (size > limit) stop(tooMuchOutput(limit));
      else list.push(part);
    };

    channel.on('data', (chunk: Buffer) => {
      if (ended) return;
      const part = out.push(chunk);
      if (options.streamed !== true) keep(stdout, part);
      if (part.length > 0 && !ended) consumed = notify(channel, options, part, consumed, stop);
      wake();
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      keep(stderr, err.push(chunk));
      wake();
    });
    channel.on('error', stop);
    channel.on('close', (code?: number | null, signal?: string) => {
      if (ended) return;
      finish();
      const outcome: ChannelOutcome = {
        code: code ?? null,
        ...(signal ? { signal } : {}),
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
        ready: out.seen,
        noiseOut: out.noise.toString('utf8'),
        noiseErr: err.noise.toString('utf8'),
        unfinished: code === undefined && signal === undefined,
      };
      // A failure of the consumer has been reported by `stop`.
      void (consumed ?? Promise.resolve()).then(() => resolve(outcome));
    });
    if (options.signal?.aborted) return onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });

    const talk: ChannelTalk = {
      send: (text) => void channel.write(text),
      get stderrSoFar() {
        return err.noise.toString('utf8');
      },
      async next() {
        const before = err.noise.length;
        for (;;) {
          if (out.seen) return 'ready';
          if (ended) return 'closed';
          if (err.noise.length > before) return 'stderr';
          await new Promise<void>((done) => {
            wake = done;
          });
        }
      },
    };
    void (async () => {
      const proceed = run.greet ? await run.greet(talk) : true;
      if (proceed && !ended) await pump(channel, options.stdin, () => ended);
      if (!ended) channel.end();
    })().catch(stop);
    return undefined;
  });
}

/** Hands the chunk on. While the consumer is busy the channel stands still, and so, in the end, does the sender. */
function notify(
  channel: ClientChannel,
  options: ExecOptions,
  part: Buffer,
  before: Promise<void> | undefined,
  stop: (error: unknown) => void,
): Promise<void> | undefined {
  const hand = (): void | Promise<void> => options.onStdout?.(part);
  try {
    const busy = before === undefined ? hand() : before.then(hand);
    if (busy === undefined) return undefined;
    channel.pause();
    return busy.then(() => void channel.resume(), stop);
  } catch (error) {
    stop(error);
    return undefined;
  }
}

async function pump(
  channel: ClientChannel,
  stdin: ExecOptions['stdin'],
  ended: () => boolean,
): Promise<void> {
  if (stdin === undefined) return;
  const chunks =
    typeof stdin === 'string' ? [Buffer.from(stdin)] : stdin instanceof Uint8Array ? [stdin] : stdin;
  for await (const chunk of chunks) {
    // The command may end before it has read everything (head, a failing script): that is its right.
    if (ended()) return;
    for (let at = 0; at < chunk.length; at += 65_536) {
      if (ended()) return;
      if (!channel.write(chunk.subarray(at, at + 65_536))) await drained(channel);
    }
  }
}

function drained(channel: ClientChannel): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      channel.off('drain', done);
      channel.off('close', done);
      resolve();
    };
    channel.on('drain', done);
    channel.on('close', done);
  });
}

function tooMuchOutput(limit: number): SetupError {
  return new SetupError({
    code: 'E_SSH_OUTPUT',
    exit: Exit.failed,
    what: `The server sent more than ${limit} bytes in answer to one command; it was cut off.`,
    fix: ['Look at the server by hand: this much output is not normal.'],
  });
}
