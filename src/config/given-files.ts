import { Exit, SetupError } from '../errors.js';
import { readText } from './read-text.js';

/** Files that flags and variables name, `-` for stdin; each is read once a command, for a pipe gives its text only once. */
export interface GivenFiles {
  /**
   * The text for `wanter` (`--password-file`, `NAME_FILE`). Throws E_FILE_UNREADABLE, and E_STDIN_TAKEN where two want
   * stdin (exit 2).
   */
  read(path: string, wanter: string, maxBytes: number): Promise<string>;
}

export function openGivenFiles(stdin: NodeJS.ReadableStream): GivenFiles {
  const texts = new Map<string, Promise<string>>();
  let taker: string | undefined;
  return {
    read(path, wanter, maxBytes) {
      if (path === '-') {
        taker ??= wanter;
        if (taker !== wanter) return Promise.reject(taken(taker, wanter));
      }
      const known = texts.get(path);
      if (known !== undefined) return known;
      const text = path === '-' ? readStream(stdin, wanter, maxBytes) : readNamed(path, wanter, maxBytes);
      texts.set(path, text);
      return text;
    },
  };
}

async function readNamed(path: string, wanter: string, maxBytes: number): Promise<string> {
  const text = await readText(path, maxBytes);
  if (text !== undefined) return text;
  throw unreadable(`The file ${path} does not exist.`, wanter);
}

async function readStream(stream: NodeJS.ReadableStream, wanter: string, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) throw unreadable(`Standard input is longer than ${maxBytes} bytes.`, wanter);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unreadable(what: string, wanter: string): SetupError {
  return new SetupError({
    code: 'E_FILE_UNREADABLE',
    exit: Exit.usage,
    what,
    evidence: [`given by ${wanter}`],
    fix: ['Check the path; nothing was changed.'],
  });
}

function taken(first: string, second: string): SetupError {
  return new SetupError({
    code: 'E_STDIN_TAKEN',
    exit: Exit.usage,
    what: 'Standard input can give one thing only, and two are to come from it.',
    evidence: [`${first} and ${second} both say -`],
    fix: ['Name a file for one of them; nothing was changed.'],
  });
}
