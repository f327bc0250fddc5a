const events = ['unhandledRejection', 'uncaughtException'] as const;

export interface Accidents {
  /** Rejects with the first error that nobody caught; never resolves. */
  readonly first: Promise<never>;
  /** Gives such errors back to Node's own handling: a stack trace and the end of the process. */
  release(): void;
}

/** Watches for errors that nothing catches, so that a bug of ours, too, is told as an error and in one document. */
export function watchAccidents(): Accidents {
  let tell: (error: unknown) => void = () => undefined;
  const first = new Promise<never>((_resolve, reject) => {
    tell = reject;
  });
  const hear = (error: unknown): void => tell(error);
  for (const name of events) process.on(name, hear);
  return {
    first,
    release() {
      for (const name of events) process.off(name, hear);
    },
  };
}
