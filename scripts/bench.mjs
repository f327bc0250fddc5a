// The figures that the project promises, each as a ratio against a floor measured in the same run:
//   npm run bench             all of them (root; the sandbox's rows take some minutes)
//   npm run bench -- startup  one part: startup, size, logs, check-dns, users, domain, install, memory, send-only, fleet, throughput
import { printRows } from './bench/table.mjs';

const parts = [
  'startup',
  'size',
  'logs',
  'check-dns',
  'users',
  'domain',
  'install',
  'memory',
  'send-only',
  'fleet',
  'throughput',
];
const chosen = process.argv.slice(2).length > 0 ? process.argv.slice(2) : parts;

for (const part of chosen) {
  if (!parts.includes(part)) throw new Error(`there is no part "${part}": ${parts.join(', ')}`);
  const { run } = await import(`./bench/${part}.mjs`);
  printRows(await run());
}
