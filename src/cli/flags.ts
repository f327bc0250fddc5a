import { type Command, InvalidArgumentError, Option } from 'commander';
import { type QuestionKey, questions } from '../config/questions.js';

/** What every command understands; `main` reads these before commander does, so that even a usage error obeys them. */
export interface OutputFlags {
  json: boolean;
  verbose: boolean;
  noColor: boolean;
}

/** Values given as flags, by question. Environment, file and answers are laid under them by `config/load.ts`. */
export type FlagValues = Partial<Record<QuestionKey, string>>;

/** `--json --verbose --no-color`, for every command. */
export function addOutputFlags(command: Command): Command {
  return command
    .option('--json', 'print exactly one JSON document on stdout, everything else on stderr')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .option('--verbose', 'show every remote line and full diffs');
}

export function addConfigFlag(command: Command): Command {
  return command.option(
    '--config <file>',
    'the configuration file (default: smtp-setup.yaml; SMTP_SETUP_CONFIG)',
  );
}

export function addYesFlag(command: Command): Command {
  return command.option('--yes', 'answer yes to the one question before changes are made');
}

/** What may be done to what is there already; without these, only missing records and files are written. */
export interface ConsentFlags {
  allowUpdate: boolean;
  allowDelete: boolean;
  /** Take Cloudflare's proxy away from the mail host's addresses. */
  allowUnproxy: boolean;
  /** Addresses, comma-separated, or `@`: replace a foreign MX. */
  takeOverMx?: string;
  onConflict: 'stop' | 'keep' | 'take-over';
}

export function addConsentFlags(command: Command): Command {
  return command
    .option('--allow-update', 'DNS: change records that stand there already (an SPF record to be extended)')
    .option('--allow-delete', 'DNS: remove records that stand there already')
    .option(
      '--allow-unproxy',
      "DNS: take Cloudflare's proxy away from the mail host (a web site at that name then shows its real address)",
    )
    .option(
      '--take-over-mx <addresses|@>',
      'DNS: move mail that goes elsewhere today to this server; every address that gets mail, or @ for a catch-all',
    )
    .addOption(
      new Option('--on-conflict <how>', 'files that somebody else changed on the server')
        .choices(['stop', 'keep', 'take-over'])
        .default('stop'),
    );
}

export function readConsentFlags(options: Readonly<Record<string, unknown>>): ConsentFlags {
  const { onConflict, takeOverMx } = options;
  return {
    allowUpdate: options.allowUpdate === true,
    allowDelete: options.allowDelete === true,
    allowUnproxy: options.allowUnproxy === true,
    ...(typeof takeOverMx === 'string' ? { takeOverMx } : {}),
    onConflict: onConflict === 'keep' || onConflict === 'take-over' ? onConflict : 'stop',
  };
}

/** Which servers of the configuration, and how many at a time. */
export interface ServersFlags {
  servers: readonly string[];
  parallel: number;
}

const parallelServers = 20;

export function addServersFlags(command: Command): Command {
  return command
    .option(
      '--server <host>',
      'only this server of the configuration; may be given again (default: all)',
      (host: string, before: readonly string[] = []) => [...before, host],
    )
    .addOption(
      new Option('--parallel <n>', 'servers at work at a time')
        .default(parallelServers)
        .argParser(parseParallel),
    );
}

export function readServersFlags(options: Readonly<Record<string, unknown>>): ServersFlags {
  const { server, parallel } = options;
  return {
    servers: Array.isArray(server) ? server.map(String) : [],
    parallel: typeof parallel === 'number' ? parallel : parallelServers,
  };
}

function parseParallel(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a number from 1 to 999.');
}

/** Adds the flags of the named questions, so that a flag, its variable and its help text have one home. */
export function addQuestionFlags(command: Command, keys: readonly QuestionKey[]): Command {
  for (const key of keys) {
    const { flag, argument, help } = questions[key];
    command.option(`${flag} <${argument}>`, help);
  }
  return command;
}

/** Picks the question flags out of commander's options object. */
export function readQuestionFlags(
  options: Readonly<Record<string, unknown>>,
  keys: readonly QuestionKey[],
): FlagValues {
  const values: FlagValues = {};
  for (const key of keys) {
    const value = options[key];
    if (typeof value === 'string') values[key] = value;
  }
  return values;
}

/** What a command that has a server to do with is told beside its own arguments. */
export interface CommonOptions {
  flags: FlagValues;
  /** The configuration file. */
  config?: string;
}

/** The same, of a command that changes something. */
export interface ChangeOptions extends CommonOptions {
  /** `--yes`: the one question is answered. */
  yes: boolean;
}

/** The flags of `readCommonFlags`. */
export function addCommonFlags(command: Command, keys: readonly QuestionKey[]): Command {
  return addOutputFlags(addConfigFlag(addQuestionFlags(command, keys)));
}

/** The flags of `readChangeFlags`. */
export function addChangeFlags(command: Command, keys: readonly QuestionKey[]): Command {
  return addYesFlag(addCommonFlags(command, keys));
}

export function readCommonFlags(
  options: Readonly<Record<string, unknown>>,
  keys: readonly QuestionKey[],
): CommonOptions {
  const { config } = options;
  return {
    flags: readQuestionFlags(options, keys),
    ...(typeof config === 'string' ? { config } : {}),
  };
}

export function readChangeFlags(
  options: Readonly<Record<string, unknown>>,
  keys: readonly QuestionKey[],
): ChangeOptions {
  return { ...readCommonFlags(options, keys), yes: options.yes === true };
}

/** The output flags as they stand on the command line, up to a `--`. */
export function scanOutputFlags(argv: readonly string[]): OutputFlags {
  const end = argv.indexOf('--');
  const own = new Set(end < 0 ? argv : argv.slice(0, end));
  return { json: own.has('--json'), verbose: own.has('--verbose'), noColor: own.has('--no-color') };
}
