import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import { Exit, messageOf, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import { describeIssue, findIssueOffset } from './describe-issue.js';
import { type Config, configSchema } from './schema.js';

/** A configuration file as read; the document keeps comments and order for the next save. */
export interface LoadedConfig {
  config: Config;
  document: Document;
  path: string;
}

/** Far more than any real configuration; a file over it is not ours to parse. */
export const maxConfigBytes = 256 * 1024;
/** Enough for a person who likes anchors, far too few for an alias bomb. */
const maxAliasCount = 50;

/** Reads the text of `smtp-setup.yaml`. Throws SetupError E_CONFIG_… (exit 2) with file, line and what was expected. */
export function parseConfig(text: string, path: string): LoadedConfig {
  if (text.length > maxConfigBytes) {
    throw configError(path, 'E_CONFIG_SIZE', [
      `It has ${text.length} characters; ${maxConfigBytes} is the most.`,
    ]);
  }
  const lines = new LineCounter();
  const at = (offset: number | undefined): string =>
    offset === undefined ? path : `${path}:${lines.linePos(offset).line}`;
  const documents = parseAllDocuments(text.replace(/^\uFEFF/, ''), { lineCounter: lines, uniqueKeys: true });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (document === undefined || document.contents === null)
    throw configError(path, 'E_CONFIG_EMPTY', [`${path}: is empty`]);
  const second = Array.isArray(documents) ? documents[1] : undefined;
  if (second !== undefined) {
    throw configError(path, 'E_CONFIG_YAML', [
      `${at(second.range[0])}: a second document begins; one is expected`,
    ]);
  }
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    const evidence = faults
      .slice(0, 10)
      .map((fault) => `${at(fault.pos[0])}: ${plainMessage(fault.message)}`);
    throw configError(path, 'E_CONFIG_YAML', evidence);
  }
  const result = configSchema.safeParse(toData(document, path), { reportInput: true });
  if (!result.success) {
    const evidence = result.error.issues.flatMap((issue: z.core.$ZodIssue) =>
      describeIssue(issue).map(({ path: where, text: what }) => {
        return sanitizeLine(`${at(findIssueOffset(document, where))}: ${what}`);
      }),
    );
    throw configError(path, 'E_CONFIG_INVALID', evidence);
  }
  return { config: result.data, document, path };
}

function toData(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount });
  } catch (error) {
    throw configError(path, 'E_CONFIG_ALIASES', [`${path}: ${messageOf(error)}`]);
  }
}

/** yaml appends the source line and a caret; the line number says that already. */
function plainMessage(message: string): string {
  return sanitizeLine(message.replace(/ at line \d+, column \d+:[\s\S]*$/, ''));
}

function configError(path: string, code: string, evidence: readonly string[]): SetupError {
  return new SetupError({
    code,
    exit: Exit.usage,
    what: `The configuration file ${path} cannot be used.`,
    evidence,
    fix: ['Correct the file and run the command again; nothing was changed.'],
  });
}
