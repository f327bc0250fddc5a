import { type Command, InvalidArgumentError, Option } from 'commander';
import { addOutputFlags, addYesFlag } from '../flags.js';
import type { CommandDefinition } from './definition.js';

export const sandboxImages = ['debian-12', 'debian-13'] as const;

export interface SandboxOptions {
  action: 'up' | 'run' | 'exec' | 'shell' | 'status' | 'down';
  /** Several sandboxes can stand side by side under different names. */
  name: string;
  image: (typeof sandboxImages)[number];
  /** Install missing host packages without asking. */
  yes: boolean;
  /** `exec`: the command and its arguments. */
  command: readonly string[];
}

interface Parsed {
  name: string;
  image?: SandboxOptions['image'];
  yes?: boolean;
}

/** `sandbox`: the whole story on this machine, without any account. */
export const sandboxCommand: CommandDefinition<SandboxOptions> = {
  examples: [
    'smtp-setup sandbox run',
    'smtp-setup sandbox run --name next --image debian-13',
    'smtp-setup sandbox exec -- mailq',
    'smtp-setup sandbox shell',
    'smtp-setup sandbox down',
  ],
  define(program, run) {
    const sandbox = program
      .command('sandbox')
      .summary('rehearse everything on this machine: throwaway VPS, private Internet, no accounts')
      .description(
        'A booted throwaway VPS and a private Internet around it. Needs root on Debian or Ubuntu.',
      );

    const add = (action: SandboxOptions['action'], summary: string): Command =>
      addOutputFlags(
        sandbox
          .command(action)
          .description(summary)
          .addOption(new Option('--name <name>', 'which sandbox').default('main').argParser(readName)),
      );
    const addBuildFlags = (command: Command): Command =>
      addYesFlag(
        command.addOption(
          new Option('--image <image>', 'what the VPS runs').choices(sandboxImages).default('debian-12'),
        ),
      );
    const start =
      (action: SandboxOptions['action']) =>
      async (options: Parsed): Promise<void> => {
        await run({ ...common(action, options), command: [] });
      };

    addBuildFlags(add('up', 'boot the VPS and its Internet')).action(start('up'));
    addBuildFlags(add('run', 'boot, run init against it, prove that mail flows both ways')).action(
      start('run'),
    );
    add('exec', 'run a command on the VPS')
      .argument('<command...>', 'the command, after --')
      .action(async (command: string[], options: Parsed) => {
        await run({ ...common('exec', options), command });
      });
    add('shell', 'open a root shell on the VPS').action(start('shell'));
    add('status', 'show what is running').action(start('status'));
    add('down', 'take everything away').action(start('down'));
  },
};

function common(action: SandboxOptions['action'], options: Parsed): Omit<SandboxOptions, 'command'> {
  return { action, name: options.name, image: options.image ?? 'debian-12', yes: options.yes ?? false };
}

/** The name becomes part of namespace, unit and folder names. */
function readName(value: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/.test(value)) return value;
  throw new InvalidArgumentError('A name has at most 20 lower-case letters, digits and inner dashes.');
}
