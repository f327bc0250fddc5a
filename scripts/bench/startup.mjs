import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { root } from './table.mjs';

const rounds = 15;

/** `--version` beside a bare `node -e 0`, taken in turn so that both see the same machine; medians. */
export function run() {
  const bin = join(root, 'bin', 'smtp-setup.js');
  const times = { floor: [], own: [] };
  for (let round = 0; round < rounds; round += 1) {
    times.floor.push(time(['-e', '0']));
    times.own.push(time([bin, '--version']));
  }
  const floor = median(times.floor);
  const own = median(times.own);
  return [
    {
      what: '--version beside node -e 0',
      figure: `${(own / floor).toFixed(2)} x`,
      goal: '<= 1.5 x',
      detail: `${own.toFixed(0)} ms beside ${floor.toFixed(0)} ms, median of ${rounds}`,
      ok: own / floor <= 1.5,
    },
  ];
}

function time(args) {
  const before = performance.now();
  spawnSync(process.execPath, args, { stdio: 'ignore' });
  return performance.now() - before;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
