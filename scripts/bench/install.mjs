import { performance } from 'node:perf_hooks';
import { importSource } from '../import-source.mjs';

/**
 * `init` on a fresh VPS, everything included, beside a bare `apt-get update && apt-get install` of the same packages on
 * the same image; then the round trips of an `apply` that has nothing to do, and the memory that everything takes.
 * The packages come from the sandbox's cache, which a first installation fills.
 */
export async function run() {
  const { openWorld } = await importSource('test/helpers/world.ts');
  const packages = await readPackages(openWorld);
  const plain = await timePlain(openWorld, packages);
  const world = await openWorld({ name: 'bench' });
  try {
    const before = performance.now();
    const init = await world.cli(world.rehearsal.initArguments);
    const own = (performance.now() - before) / 1000;
    if (init.code !== 0) throw new Error(init.stderr);
    const apply = await world.cliWithFlags('apply', ['--yes', '--json']);
    const { roundTrips } = JSON.parse(apply.stdout);
    const memory = await readMemory(world);
    return [
      {
        what: 'init beside a bare apt-get install of the same packages',
        figure: `${(own / plain).toFixed(2)} x`,
        goal: '<= 1.0 x',
        detail: `${own.toFixed(0)} s beside ${plain.toFixed(0)} s, ${packages.length} packages, Debian 12`,
        ok: own <= plain,
      },
      {
        what: 'Round trips of an apply with nothing to change, after login',
        figure: String(roundTrips),
        goal: '<= 6',
        detail: 'commands over the one SSH connection',
        ok: roundTrips <= 6,
      },
      {
        what: 'Memory of the server',
        figure: `${memory.toFixed(0)} MB`,
        detail: 'sum of PSS over the processes of the VPS, after init',
      },
    ];
  } finally {
    await world.lab.down();
  }
}

/** What init would install, from its own plan. */
async function readPackages(openWorld) {
  const world = await openWorld({ name: 'bench-plan' });
  try {
    // The plan needs a configuration file; a refused consent leaves nothing behind but the list that it showed.
    const shown = await world.cli(
      world.rehearsal.initArguments.filter((arg) => arg !== '--yes').concat('--verbose'),
    );
    const names = [];
    let inside = false;
    for (const line of shown.stderr.split('\n')) {
      const name = /^ {4}\S? ?([a-z0-9.+-]+)$/.exec(line)?.[1];
      inside = /\bInstall \S.* not installed$/.test(line) || (inside && name !== undefined);
      if (inside && name !== undefined) names.push(name);
    }
    if (names.length === 0) throw new Error(`the plan shows no packages:\n${shown.stderr}`);
    return names;
  } finally {
    await world.lab.down();
  }
}

async function timePlain(openWorld, packages) {
  const world = await openWorld({ name: 'bench-apt' });
  try {
    const before = performance.now();
    const result = await world.lab.vps.exec(
      `export DEBIAN_FRONTEND=noninteractive; apt-get update -q && apt-get install -q -y --no-install-recommends ${packages.join(' ')}`,
      { timeoutMs: 20 * 60_000 },
    );
    if (result.code !== 0) throw new Error(result.stderr);
    return (performance.now() - before) / 1000;
  } finally {
    await world.lab.down();
  }
}

/** MB: the sum of PSS over all processes of the VPS. */
export async function readMemory(world) {
  const { stdout } = await world.lab.vps.exec('cat /proc/[0-9]*/smaps_rollup 2>/dev/null | grep ^Pss:');
  const kib = stdout.split('\n').reduce((sum, line) => sum + Number(/(\d+) kB/.exec(line)?.[1] ?? 0), 0);
  return kib / 1024;
}
