import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadRunTexts, type RunTexts } from '../apply/load-library.js';
import type { ExportOptions } from '../cli/commands/export.js';
import type { Run } from '../cli/outcome.js';
import type { Config } from '../config/schema.js';
import { Exit, SetupError } from '../errors.js';
import { packageRoot } from '../lib/package-root.js';
import { sha256 } from '../lib/sha256.js';
import { afterPackages } from '../plan/arrange-steps.js';
import { buildServerPlan } from '../plan/build-server-plan.js';
import { compileRuns } from '../plan/compile-runs.js';
import { relayLoginStep } from '../plan/plan-relay-logins.js';
import { exportedId, renderExport, renderFirstStage, type SecretSource } from '../plan/render-export.js';
import type { ServerStep } from '../plan/step.js';
import type { ConfiguredRelay } from '../relay/relays-of.js';
import { chooseServer, openServerSession } from './choose-servers.js';
import { type ForeseenKey, foreseeServer } from './foresee-server.js';
import { openComponents } from './make-plan.js';
import type { Session } from './session.js';

/** `export`: the runs for a server that nobody has looked at. Writes nothing but the files that were asked for. */
export const runExport: Run<ExportOptions> = async (context, options) => {
  const session = await openServerSession(context, options, options.flags.hostname);
  const { config, hostname } = chooseServer(session, session.answers);
  const script = await renderServer(session, config, hostname, options);
  if (options.form === 'script') {
    context.io.print(script);
    return { exit: Exit.ok, document: { hostname, script } };
  }
  const whole = gzipSync(script, { level: 9 });
  const stages = whole.length <= options.limit ? { 'user-data': whole } : twoStages(hostname, whole, options);
  const sizes = Object.fromEntries(Object.entries(stages).map(([name, bytes]) => [name, bytes.length]));
  const { out } = options;
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    for (const [name, bytes] of Object.entries(stages))
      await writeFile(join(out, name), bytes, { mode: 0o600 });
  } else if (!context.io.json) {
    if (context.io.out.isTty || 'stage-2.gz' in stages) throw needsOut();
    context.io.out.stream.write(stages['user-data']);
  }
  for (const [name, size] of Object.entries(sizes)) {
    const where = out === undefined ? name : join(out, name);
    context.io.say(`${where}: ${size} bytes${name === 'user-data' ? ` of ${options.limit}` : ''}`);
  }
  const contents = Object.entries(stages).map(([name, bytes]) => [name, bytes.toString('base64')]);
  return {
    exit: Exit.ok,
    document: { hostname, sizes, ...(out === undefined ? { base64: Object.fromEntries(contents) } : {}) },
  };
};

async function renderServer(
  session: Session,
  config: Config,
  hostname: string,
  options: ExportOptions,
): Promise<string> {
  const { models, keys, relays, facts } = await foreseeServer(session, config, hostname, options);
  const keySource = readSource('--dkim-key', options.dkimKeyFile, options.dkimKeyCommand);
  const loginSource = readSource('--relay-login', options.relayLoginFile, options.relayLoginCommand);
  refuseStrandedRelay(hostname, relays, loginSource);
  const components = await openComponents(session);
  const texts = await loadRunTexts();
  const plan = buildServerPlan({ ...models, facts, components });
  const steps = afterPackages(plan.steps, relays.map(relayLoginStep));
  const runs = compileRuns(keySource.kind === 'none' ? steps : withKeys(steps, keys), {
    idOf: exportedId,
    generation: 0,
    who: 'export',
    library: texts.library,
  });
  return renderExport({
    hostname,
    os: models.model.os,
    runs,
    keys,
    keySource,
    logins: relays.map(({ name, relay }) => ({ name, host: relay.host })),
    loginSource,
    texts: await loadExportTexts(texts),
    wait: options.form === 'script',
  });
}

/** The shared keys lie there before any is made. */
function withKeys(steps: readonly ServerStep[], keys: readonly ForeseenKey[]): ServerStep[] {
  const taken = keys.map(
    ({ domain, selector, publicKey }): ServerStep => ({
      id: `dkim-key-shared:${domain}/${selector}`,
      run: 'install',
      title: `Take over the shared DKIM key ${selector} of ${domain}`,
      reason: 'fetched at boot',
      calls: [{ fn: 'dkim_take_key', args: [domain, selector, publicKey] }],
    }),
  );
  const at = steps.findIndex(({ id }) => id.startsWith('dkim-key:'));
  return [...steps.slice(0, at), ...taken, ...steps.slice(at)];
}

/** Where the server finds what an export must not hold: the flags end with `-file` and `-command`. */
function readSource(flag: string, file: string | undefined, command: string | undefined): SecretSource {
  if (file !== undefined && command !== undefined) {
    throw new SetupError({
      code: 'E_USAGE',
      exit: Exit.usage,
      what: `What ${flag}-file names comes from a file or from a command, not from both.`,
      fix: [`Give either ${flag}-file or ${flag}-command.`],
    });
  }
  if (file !== undefined) return { kind: 'file', source: file };
  return command === undefined ? { kind: 'none' } : { kind: 'command', source: command };
}

/** A server that sends past the relay that was chosen for it would be another one. */
function refuseStrandedRelay(hostname: string, relays: readonly ConfiguredRelay[], { kind }: SecretSource) {
  const [first] = relays;
  if (first !== undefined && kind === 'none') {
    throw new SetupError({
      code: 'E_EXPORT_RELAY',
      exit: Exit.usage,
      what: `Mail is to leave through ${first.relay.host}, and an export holds no secrets: the server has to fetch the login.`,
      fix: [
        'Say from where: --relay-login-file PATH or --relay-login-command COMMAND, on the server; user name and password, a line each.',
        'Or set the server up with smtp-setup apply, after smtp-setup relay set.',
      ],
    });
  }
  if (first !== undefined || kind === 'none') return;
  throw new SetupError({
    code: 'E_EXPORT_RELAY',
    exit: Exit.usage,
    what: `There is a login for a relay to fetch, and ${hostname} sends through none.`,
    fix: ['Leave the flag out, or choose a relay in smtp-setup.yaml ("relay").'],
  });
}

async function loadExportTexts({ start }: RunTexts): Promise<Map<string, string>> {
  const folder = join(packageRoot(), 'templates', 'export');
  const texts = new Map([['start.sh', start]]);
  for (const name of (await readdir(folder)).sort())
    texts.set(name, await readFile(join(folder, name), 'utf8'));
  return texts;
}

function twoStages(
  hostname: string,
  whole: Buffer,
  { limit, stageUrl }: ExportOptions,
): { 'user-data': Buffer; 'stage-2.gz': Buffer } {
  if (stageUrl === undefined || !/^https?:\/\/\S+$/.test(stageUrl)) {
    throw new SetupError({
      code: 'E_EXPORT_SIZE',
      exit: Exit.usage,
      what: `This is ${whole.length} bytes, gzipped, and user-data may have ${limit}.`,
      evidence: ['AWS takes 16384; others more: Hetzner Cloud 32768, DigitalOcean 65536'],
      fix: [
        'In two stages: --stage-url URL, where you will put stage-2.gz; user-data fetches it and checks its hash.',
        'For a provider that takes more: --limit BYTES.',
      ],
    });
  }
  return {
    'user-data': gzipSync(renderFirstStage(hostname, stageUrl, sha256(whole)), { level: 9 }),
    'stage-2.gz': whole,
  };
}

function needsOut(): SetupError {
  return new SetupError({
    code: 'E_EXPORT_OUT',
    exit: Exit.usage,
    what: 'User-data is gzipped, and nothing for a terminal; two stages are two files.',
    fix: ['Give a directory: --out DIRECTORY. Or take base64 with --json.'],
  });
}
