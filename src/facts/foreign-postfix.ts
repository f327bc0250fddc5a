import type { Facts } from './index.js';

const mainCf = '/etc/postfix/main.cf';

/** Postfix is set up, and not by us: somebody's mail may go through it. Pure. */
export function hasForeignPostfix({
  packages,
  files,
  state,
}: Pick<Facts, 'packages' | 'files' | 'state'>): boolean {
  if (packages.get('postfix')?.installed !== true || !files.has(mainCf)) return false;
  const ours = typeof state.manifest === 'string' ? [] : state.manifest.files;
  return !ours.some(({ path }) => path === mainCf) && !state.pending.includes('postfix');
}
