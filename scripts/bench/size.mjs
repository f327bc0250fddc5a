import { execFileSync } from 'node:child_process';
import { root } from './table.mjs';

/** The package as npm would install it. */
export function run() {
  const [pack] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
  );
  const { dependencies = {} } = JSON.parse(
    execFileSync('npm', ['pkg', 'get', 'dependencies', 'name'], { cwd: root, encoding: 'utf8' }),
  );
  const megabytes = pack.unpackedSize / 1e6;
  return [
    {
      what: 'Installed package',
      figure: `${megabytes.toFixed(2)} MB unpacked`,
      goal: '<= 5 MB, no dependency tree',
      detail: `${pack.entryCount} files, ${Object.keys(dependencies).length} runtime dependencies`,
      ok: megabytes <= 5 && Object.keys(dependencies).length === 0,
    },
  ];
}
