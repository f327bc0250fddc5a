import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Exit, SetupError } from '../../errors.js';
import { run } from '../run.js';
import { type AptSource, parseDeb822Sources, parseOneLineSources, sourcesForRelease } from './sources.js';

/** What the sandbox takes over from the machine's own apt: where packages come from and how they are fetched. */
export interface HostApt {
  sources: readonly AptSource[];
  /** `Acquire::http::Proxy`, when the machine's apt uses one. */
  httpProxy?: string;
  /** Settings (apt.conf syntax, one a line) that builders and the VPS need as well. */
  settings: readonly string[];
}

const TAKEN_OVER = ['Acquire::Check-Valid-Until', 'Acquire::Check-Date', 'Acquire::https::CAInfo'];

/** Reads the machine's apt sources and the few settings that matter (apt.conf(5)). */
export async function readHostApt(): Promise<HostApt> {
  const sources: AptSource[] = [];
  for (const file of await aptSourceFiles()) {
    const text = await readFile(file, 'utf8');
    sources.push(...(file.endsWith('.sources') ? parseDeb822Sources(text) : parseOneLineSources(text)));
  }
  const dump = parseAptConfig((await run('apt-config', ['dump'])).stdout);
  const settings = TAKEN_OVER.flatMap((name) => {
    const value = dump.get(name);
    return value === undefined || value === '' ? [] : [`${name} "${value}";`];
  });
  const proxy = dump.get('Acquire::http::Proxy') ?? dump.get('Acquire::http::proxy');
  return {
    sources,
    settings,
    ...(proxy === undefined || proxy === '' || proxy === 'DIRECT' ? {} : { httpProxy: proxy }),
  };
}

/** The sources for a Debian release; throws `E_SANDBOX_NO_MIRROR` on a machine whose apt knows no Debian archive. */
export function requireSources(apt: HostApt, release: string): AptSource[] {
  const sources = sourcesForRelease(apt.sources, release);
  if (sources.some((source) => source.suite === release)) return sources;
  throw new SetupError({
    code: 'E_SANDBOX_NO_MIRROR',
    exit: Exit.usage,
    what: `This machine's apt configuration names no Debian archive from which ${release} could be installed.`,
    evidence: apt.sources.map((source) => `deb ${source.uri} ${source.suite}`),
    fix: [
      'Run the sandbox on Debian, or add a Debian source (for example under /etc/apt/sources.list.d) with its keyring.',
    ],
  });
}

export function parseAptConfig(dump: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of dump.split('\n')) {
    const match = /^(\S+) "(.*)";$/.exec(line);
    if (match !== null) values.set(match[1] ?? '', match[2] ?? '');
  }
  return values;
}

async function aptSourceFiles(): Promise<string[]> {
  const names = await readdir('/etc/apt/sources.list.d');
  const parts = names.filter((name) => /\.(list|sources)$/.test(name)).sort();
  const main = (await readdir('/etc/apt')).includes('sources.list') ? ['/etc/apt/sources.list'] : [];
  return [...main, ...parts.map((name) => join('/etc/apt/sources.list.d', name))];
}
