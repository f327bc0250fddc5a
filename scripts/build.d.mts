import type { Metafile } from 'esbuild';

export function bundle(): Promise<Metafile>;
