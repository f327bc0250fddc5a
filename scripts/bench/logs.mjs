import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './table.mjs';

const wanted = 100_000;

/** Reading and joining a large mail log: the recorded lines over and over, each time under other queue ids. */
export async function run() {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src/logs/read-log.ts'), join(root, 'src/logs/summarize.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    outdir: 'out',
  });
  const [{ readLog }, { summarizeMail }] = await Promise.all(
    outputFiles.map(({ text }) => import(`data:text/javascript,${encodeURIComponent(text)}`)),
  );
  return ['debian-12', 'debian-13'].map((release) => {
    const text = readFileSync(join(root, `test/unit/logs/fixtures/${release}.log`), 'utf8');
    const log = enlarge(text);
    const begin = performance.now();
    const { stories, failedLogins, lines } = readLog(log);
    const report = summarizeMail({ stories, failedLogins, since: 0, until: 0 });
    const seconds = (performance.now() - begin) / 1000;
    return {
      what: `Mail log of ${lines} lines, ${release}`,
      figure: `${seconds.toFixed(2)} s`,
      goal: '<= 3 s',
      detail: `${stories.length} messages, ${report.out.sent} delivered outside`,
      ok: seconds <= 3,
    };
  });
}

function enlarge(text) {
  const copies = Math.ceil(wanted / text.split('\n').length);
  return Array.from({ length: copies }, (_, copy) =>
    text.replace(
      /\b([0-9A-F]{8,10})\b(?=[:>,])/g,
      (id) => `${id}${copy.toString(16).toUpperCase().padStart(3, '0')}`,
    ),
  ).join('');
}
