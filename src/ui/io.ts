/** What `main` is given of the process; tests give buffers. */
export interface Streams {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  stderr: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
}

export type Env = Readonly<Record<string, string | undefined>>;

/** One output stream and what it can show. */
export interface Terminal {
  readonly stream: Streams['stdout'];
  readonly isTty: boolean;
  /** 0: no colour … 3: true colour, as chalk counts. */
  readonly colorLevel: 0 | 1 | 2 | 3;
  readonly unicode: boolean;
  /** A terminal whose cursor can be moved. */
  readonly canRedraw: boolean;
  /** Columns for text that wraps: the terminal's, at most 100; 80 when it is not a terminal. */
  readonly width: number;
  /** Why what was written did not arrive (a full disk); undefined while all is well. */
  readonly failure: Error | undefined;
  write(text: string): void;
}

export interface Io {
  readonly stdin: Streams['stdin'];
  readonly out: Terminal;
  readonly err: Terminal;
  /** Exactly one JSON document goes to stdout and nothing else does. */
  readonly json: boolean;
  readonly verbose: boolean;
  /** Somebody is there to answer: stdin and stderr are terminals and this is no CI. */
  readonly canPrompt: boolean;
  /** The result, in text form, on stdout. Nothing under `--json`: `main` writes the document then. */
  print(text: string): void;
  /** Words for a person, on stderr. */
  say(text: string): void;
}

export interface IoOptions {
  json?: boolean;
  verbose?: boolean;
  noColor?: boolean;
}

const maxWidth = 100;

/** Builds the streams object that everything prints through. */
export function createIo(streams: Streams, env: Env, options: IoOptions = {}): Io {
  const out = terminal(streams.stdout, env, options);
  const err = terminal(streams.stderr, env, options);
  const json = options.json ?? false;
  return {
    stdin: streams.stdin,
    out,
    err,
    json,
    verbose: options.verbose ?? false,
    canPrompt: streams.stdin.isTTY === true && err.isTty && !isSet(env.CI),
    print(text) {
      if (!json) out.write(endLine(text));
    },
    say(text) {
      err.write(endLine(text));
    },
  };
}

function terminal(stream: Streams['stdout'], env: Env, options: IoOptions): Terminal {
  const isTty = stream.isTTY === true;
  let failure: Error | undefined;
  // `smtp-setup plan | head` closes the pipe early: that is the reader's choice, not an error of ours. Nor may a full
  // disk behind `> file` end what is under way on a server; `main` tells of it in the end.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure ??= error;
  });
  return {
    stream,
    isTty,
    colorLevel: colorLevel(isTty, env, options.noColor ?? false),
    unicode: isTty ? localeIsUtf8(env) && env.TERM !== 'linux' && env.TERM !== 'dumb' : localeIsUtf8(env),
    canRedraw: isTty && env.TERM !== 'dumb',
    get failure() {
      return failure;
    },
    get width() {
      return isTty && stream.columns ? Math.min(stream.columns, maxWidth) : 80;
    },
    write(text) {
      stream.write(text);
    },
  };
}

/** `--no-color` and NO_COLOR (https://no-color.org: non-empty) win, then FORCE_COLOR, then what the stream is. */
function colorLevel(isTty: boolean, env: Env, noColor: boolean): 0 | 1 | 2 | 3 {
  if (noColor || (env.NO_COLOR ?? '') !== '') return 0;
  if (env.FORCE_COLOR !== undefined) {
    if (env.FORCE_COLOR === '0' || env.FORCE_COLOR === 'false') return 0;
    return env.FORCE_COLOR === '2' ? 2 : env.FORCE_COLOR === '3' ? 3 : 1;
  }
  if (!isTty || env.TERM === 'dumb') return 0;
  if (env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit') return 3;
  return env.TERM?.includes('256') ? 2 : 1;
}

function localeIsUtf8(env: Env): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => (value ?? '') !== '');
  // macOS terminals and bare containers often set none; every terminal of today takes UTF-8 then.
  return locale === undefined ? true : /utf-?8/i.test(locale);
}

/** CI=false and CI=0 are how people say "this is not CI". */
function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
