import { type Command, InvalidArgumentError, Option } from 'commander';
import type { QuestionKey } from '../../config/questions.js';
import { addCommonFlags, type CommonOptions, readCommonFlags } from '../flags.js';
import type { CommandDefinition } from './definition.js';

export interface ExportOptions extends CommonOptions {
  form: 'script' | 'cloud-init';
  /** `debian-12`: the files are for it, and the export refuses any other. */
  release: string;
  /** MiB of memory that the server will have. */
  memory: number;
  /** Where the server finds the private DKIM keys at boot. */
  dkimKeyFile?: string;
  dkimKeyCommand?: string;
  /** Where it finds the login of the relay that mail leaves through. */
  relayLoginFile?: string;
  relayLoginCommand?: string;
  /** Directory for the files of `cloud-init`; without it they go to stdout. */
  out?: string;
  /** Where the second stage will be fetched from. */
  stageUrl?: string;
  /** Bytes that user-data may have. */
  limit: number;
}

const keys = [
  'hostname',
  'acmeDirectory',
  'acmeCa',
  'serverForwarder',
  'trustAnchor',
] as const satisfies readonly QuestionKey[];

/** AWS takes 16 KB of user-data before base64. */
const awsLimit = 16_384;

interface Parsed {
  release?: string;
  memory?: number;
  dkimKeyFile?: string;
  dkimKeyCommand?: string;
  relayLoginFile?: string;
  relayLoginCommand?: string;
  out?: string;
  stageUrl?: string;
  limit?: number;
  config?: string;
}

/** `export`: the same runs, for servers that other engines build. */
export const exportCommand: CommandDefinition<ExportOptions> = {
  examples: [
    'smtp-setup export script --release debian-13 | ssh root@NEW sh',
    'smtp-setup export cloud-init --release debian-12 --out ./user-data',
  ],
  define(program, run) {
    const parent = program
      .command('export')
      .summary('what apply would do to a fresh server, for Terraform, Ansible, autoscaling groups')
      .description(
        'Prints what apply would do to a fresh server, without one: it installs itself, asks for its certificate and signs mail once its DKIM keys are visible. No secrets are in it; smtp-setup plan finds nothing to change afterwards.',
      );
    const define = (form: ExportOptions['form'], command: Command): void => {
      command
        .option(
          '--release <release>',
          'the system it is for: debian-12, debian-13, ubuntu-22.04, …',
          'debian-12',
        )
        .addOption(number('--memory <mib>', 'memory that the server will have', 2000))
        .option(
          '--dkim-key-file <path>',
          'on the server: the private DKIM key that is shared; {domain} and {selector} stand for these',
        )
        .option(
          '--dkim-key-command <command>',
          'run on the server as root: prints that key; also as $DKIM_DOMAIN and $DKIM_SELECTOR',
        )
        .option(
          '--relay-login-file <path>',
          "on the server: the relay's user name and password, a line each; {relay} is server or the sender domain",
        )
        .option(
          '--relay-login-command <command>',
          'run on the server as root: prints that login; also as $RELAY_NAME and $RELAY_HOST',
        );
      if (form === 'cloud-init') {
        command
          .option('--out <directory>', 'write user-data (and stage-2.gz) there')
          .option('--stage-url <url>', 'where you will put stage-2.gz, when user-data is too large')
          .addOption(number('--limit <bytes>', 'how large user-data may be', awsLimit));
      }
      addCommonFlags(command, keys).action((options: Parsed) =>
        run({
          form,
          release: options.release ?? 'debian-12',
          memory: options.memory ?? 2000,
          ...given(options),
          limit: options.limit ?? awsLimit,
          ...readCommonFlags({ ...options }, keys),
        }),
      );
    };
    define(
      'script',
      parent.command('script').summary('one shell script (Ansible, Terraform remote-exec, a pipe into ssh)'),
    );
    define(
      'cloud-init',
      parent.command('cloud-init').summary('gzipped user-data, in two stages where it is too large'),
    );
  },
};

const texts = [
  'dkimKeyFile',
  'dkimKeyCommand',
  'relayLoginFile',
  'relayLoginCommand',
  'out',
  'stageUrl',
  'config',
] as const;
type Text = (typeof texts)[number];

function given(options: Parsed): Partial<Record<Text, string>> {
  return Object.fromEntries(
    texts.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

function number(flags: string, description: string, preset: number): Option {
  return new Option(flags, description).default(preset).argParser((text: string) => {
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
    throw new InvalidArgumentError('It is a whole number.');
  });
}
