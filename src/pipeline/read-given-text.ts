import { readText } from '../config/load.js';
import { Exit, SetupError } from '../errors.js';

/** The text of a file that a flag names, `-` for stdin. Throws E_FILE_UNREADABLE (exit 2), also when it is too large. */
export async function readGivenText(
  path: string,
  stdin: NodeJS.ReadableStream,
  flag: string,
  maxBytes: number,
): Promise<string> {
  const text = path === '-' ? await readStream(stdin, maxBytes) : await readText(path, maxBytes);
  if (text !== undefined) return text;
  throw new SetupError({
    code: 'E_FILE_UNREADABLE',
    exit: Exit.usage,
    what:
      path === '-' ? `Standard input is longer than ${maxBytes} bytes.` : `The file ${path} does not exist.`,
    evidence: [`given by ${flag}`],
    fix: ['Check the path; nothing was changed.'],
  });
}

async function readStream(stream: NodeJS.ReadableStream, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
