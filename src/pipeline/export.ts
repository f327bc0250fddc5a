import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadRunTexts, type RunTexts } from '../apply/load-library.js';
import type { ExportOptions } from '../cli/commands/export.js';
import type { Run } from '../cli/outcome.js';
import type { Config } from '../config/schema.js';
import { Exit, SetupError } from '../errors.js';
import { type Facts, probes } from '../facts/index.js';
import { packageRoot } from '../lib/package-root.js';
import { sha256 } from '../lib/sha256.js';
import { buildModel, type Models } from '../plan/build-model.js';
import { buildServerPlan } from '../plan/build-server-plan.js';
import { compileRuns } from '../plan/compile-runs.js';
import { exportedId, type KeySource, renderExport, renderFirstStage } from '../plan/render-export.js';
import type { ServerStep } from '../plan/step.js';
import { relaysOf } from '../relay/relays-of.js';
import { chooseDkim } from './choose-dkim.js';
import { chooseServer, openServerSession } from './choose-servers.js';
import { intendDns } from './desired-dns.js';
import { openComponents, readAcme, readTrustAnchor, roleOf } from './make-plan.js';
import type { Session } from './session.js';
import { domainsOf } from './survey.js';

const releases: Readonly<Record<string, string>> = {
  'debian-12': 'bookworm',
  'debian-13': 'trixie',
  'ubuntu-22.04': 'jammy',
  'ubuntu-24.04': 'noble',
  'ubuntu-26.04': 'resolute',
};

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
  const { models, keys } = await foresee(session, config, hostname, options);
  const components = await openComponents(session);
  const texts = await loadRunTexts();
  const facts = emptyFacts();
  const plan = buildServerPlan({ ...models, facts, components });
  const keySource = readKeySource(options);
  const runs = compileRuns(keySource.kind === 'none' ? plan.steps : withKeys(plan.steps, keys), {
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
    texts: await loadExportTexts(texts),
    wait: options.form === 'script',
  });
}

interface ForeseenKey {
  domain: string;
  selector: string;
  /** What DNS shows of it, as the lock file knows. */
  publicKey: string;
}

/** The server as it will be: its release is given, and everything else is as a fresh one has it. */
async function foresee(
  session: Session,
  config: Config,
  hostname: string,
  { release, memory }: ExportOptions,
): Promise<{ models: Models; keys: ForeseenKey[] }> {
  const server = config.servers[hostname];
  const [id = '', version = ''] = release.split('-');
  const codename = releases[release];
  if (server === undefined || codename === undefined) throw unknownRelease(release);
  if (server.profile === 'backup-mx') throw notForBackups(hostname);
  const [relay] = relaysOf(config, hostname);
  if (relay !== undefined) throw notWithRelay(relay.relay.host);
  const facts = emptyFacts();
  const fresh = chooseDkim({
    config,
    hostname,
    dkim: facts.dkim,
    live: [],
    installId: '',
    now: session.context.clock(),
  });
  const keys = domainsOf(config, hostname).map(([domain]): ForeseenKey => {
    const known = session.lock.domains[domain]?.dkim[0];
    const selector = known?.selector ?? fresh.get(domain)?.[0]?.selector ?? '';
    return { domain, selector, publicKey: known?.publicKey ?? '' };
  });
  const { web } = intendDns(
    config,
    session.lock,
    hostname,
    session.lock.servers[hostname] ?? {},
    new Map(keys.map(({ domain, selector }) => [domain, [{ selector }]])),
    undefined,
  );
  const backups = new Set(domainsOf(config, hostname).flatMap(([, { backup }]) => backup ?? []));
  const models = buildModel({
    hostname,
    server,
    os: { id, version, codename, name: release, like: [] },
    domains: keys.map(({ domain, selector }) => ({
      name: domain,
      selectors: [selector],
      ...roleOf(config, domain),
      ...(web.has(domain) ? { web: web.get(domain) } : {}),
    })),
    facts: { ...facts, machine: { ...facts.machine, memory } },
    acme: await readAcme(session.answers),
    ...(await readTrustAnchor(session, server)),
    // Known only once its address has a reverse name; apply turns it on then.
    ipv6: session.lock.servers[hostname]?.ipv6 !== undefined && server.ipv6 !== 'off',
    trustedRelays: [...backups].flatMap((backup) =>
      Object.values(session.lock.servers[backup] ?? {}).filter((address) => address !== undefined),
    ),
  });
  return { models, keys };
}

/** What every probe would say of a server on which nothing of ours is. */
function emptyFacts(): Facts {
  const entries = Object.entries(probes).map(([name, probe]) => [
    name,
    probe.parse({ code: 127, stdout: '' }),
  ]);
  return Object.fromEntries(entries) as Facts;
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

function readKeySource({ dkimKeyFile, dkimKeyCommand }: ExportOptions): KeySource {
  if (dkimKeyFile !== undefined && dkimKeyCommand !== undefined) {
    throw new SetupError({
      code: 'E_USAGE',
      exit: Exit.usage,
      what: 'The DKIM keys come from a file or from a command, not from both.',
      fix: ['Give either --dkim-key-file or --dkim-key-command.'],
    });
  }
  if (dkimKeyFile !== undefined) return { kind: 'file', source: dkimKeyFile };
  return dkimKeyCommand === undefined ? { kind: 'none' } : { kind: 'command', source: dkimKeyCommand };
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

function unknownRelease(release: string): SetupError {
  return new SetupError({
    code: 'E_EXPORT_RELEASE',
    exit: Exit.usage,
    what: `There is no release ${release} to export for.`,
    evidence: [`known: ${Object.keys(releases).join(', ')}`],
    fix: ['Give one of these with --release.'],
  });
}

function notForBackups(hostname: string): SetupError {
  return new SetupError({
    code: 'E_EXPORT_PROFILE',
    exit: Exit.usage,
    what: `${hostname} is a backup: without its primary's list of recipients it would refuse everybody.`,
    fix: ['Set it up with smtp-setup apply, which reads the list.'],
  });
}

/** A server that sends past the relay that was chosen for it would be another one. */
function notWithRelay(host: string): SetupError {
  return new SetupError({
    code: 'E_EXPORT_RELAY',
    exit: Exit.usage,
    what: `Mail is to leave through ${host}, and its login cannot be in an export: that holds no secrets.`,
    fix: [
      'Export without the relay (leave "relay" out of the file), and set it on each server once it is up: smtp-setup relay set.',
      'Or set the server up with smtp-setup apply.',
    ],
  });
}
