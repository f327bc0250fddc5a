import { mkdir } from 'node:fs/promises';
import { readText } from '../lock.js';
import { run } from '../run.js';

/** Mount points below a directory, the newest first (the order in which they can be unmounted). */
export async function mountsBelow(directory: string): Promise<string[]> {
  const text = (await readText('/proc/self/mountinfo')) ?? '';
  return text
    .split('\n')
    .map((line) => unescapeOctal(line.split(' ')[4] ?? ''))
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .reverse();
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

export async function unmountBelow(directory: string): Promise<void> {
  for (const point of await mountsBelow(directory)) await run('umount', ['-l', point]);
}

/** An own tmpfs a lab: fast, gone when unmounted, and with a limit so that a lab cannot eat the machine's memory. */
export async function mountTmpfs(directory: string, sizeBytes: number): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},mode=0755`, 'smtp-setup-sandbox', directory]);
}

export interface OverlayDirs {
  merged: string;
  upper: string;
  work: string;
}

/** Mounts a root file system whose lower directories (topmost first) are never written to. */
export async function mountOverlay(lower: readonly string[], dirs: OverlayDirs): Promise<void> {
  for (const directory of [dirs.merged, dirs.upper, dirs.work])
    await mkdir(directory, { recursive: true, mode: 0o755 });
  const escaped = lower.map((directory) => directory.replace(/[\\:,]/g, '\\$&'));
  const options = `lowerdir=${escaped.join(':')},upperdir=${dirs.upper},workdir=${dirs.work}`;
  await run('mount', ['-t', 'overlay', '-o', options, 'smtp-setup-sandbox', dirs.merged]);
}
