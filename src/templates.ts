import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TemplateTexts } from './components/render.js';

/** Reads every `*.eta` under `folder` (the package's `templates/`); the names are paths relative to it, without `.eta`. */
export function loadTemplates(folder: string): TemplateTexts {
  const texts = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const name = entry.replaceAll('\\', '/');
    if (name.endsWith('.eta')) texts.set(name.slice(0, -'.eta'.length), readFileSync(join(folder, entry), 'utf8'));
  }
  return texts;
}
