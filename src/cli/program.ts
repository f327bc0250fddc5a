import { Command, CommanderError, Option } from 'commander';
import { Exit, SetupError } from '../errors.js';
import type { Io } from '../ui/io.js';
import type { Entry } from './commands/index.js';
import type { Context } from './context.js';
import { addExamples } from './examples.js';
import type { Outcome } from './outcome.js';

const exitCodes = `
Exit codes:
  0    done, or nothing to do
  1    a step or a check failed
  2    usage, configuration or credentials found wrong before anything was touched
  3    inconclusive: something could not be found out
  4    changes are pending (plan --exit-code; records that you enter by hand)
  5    the server is unsuitable
  6    busy, or overtaken by another run
  130  cancelled`;

/**
 * Parses `argv` (without node and script) and runs the command. Usage errors are SetupError E_USAGE (exit 2);
 * `--help` and `--version` print and end with 0; under `--json` what they print is in the document.
 */
export async function runProgram(
  argv: readonly string[],
  entries: readonly Entry[],
  context: Context,
  version: string,
): Promise<Outcome> {
  let outcome: Outcome = { exit: Exit.ok };
  const shown: string[] = [];
  const program = createProgram(context.io, version, (text) => {
    if (context.io.json) shown.push(text);
    else context.io.out.write(text);
  });
  const examples = entries.map((entry) =>
    entry.register(program, context, (result) => {
      outcome = result;
    }),
  );
  addExamples(program, examples);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) {
      if (!context.io.json) return { exit: Exit.ok };
      const document = error.code === 'commander.version' ? { version } : { help: shown.join('') };
      return { exit: Exit.ok, document };
    }
    if (error.code === 'commander.help') {
      // The help that was shown says it to a person.
      if (!context.io.json) return { exit: Exit.usage };
      throw usageError(new CommanderError(1, error.code, 'a command is missing'));
    }
    throw usageError(error);
  }
  return outcome;
}

function createProgram(io: Io, version: string, writeOut: (text: string) => void): Command {
  const program = new Command('smtp-setup')
    .description('Turns a fresh Ubuntu or Debian VPS and a domain into a mail server whose mail is accepted.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ helpWidth: io.out.width })
    .configureOutput({
      writeOut,
      writeErr: (text) => io.err.write(text),
      // Shown once, by `main`, in the form every error has.
      outputError: () => undefined,
    })
    .addHelpText('afterAll', exitCodes);
  // Understood before the command, too; each command's help shows them, and main has read them already.
  for (const flag of ['--json', '--no-color', '--verbose']) program.addOption(new Option(flag).hideHelp());
  return program;
}

function usageError(error: CommanderError): SetupError {
  const [what = error.message, hint] = error.message.replace(/^error: /, '').split('\n');
  return new SetupError({
    code: 'E_USAGE',
    exit: Exit.usage,
    what,
    ...(hint === undefined ? {} : { evidence: [hint.replace(/^\((.*)\)$/, '$1')] }),
    fix: ['smtp-setup --help shows the commands, smtp-setup COMMAND --help their flags.'],
  });
}
