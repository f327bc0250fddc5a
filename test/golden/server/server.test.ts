import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadTemplates } from '../../../src/cli/templates.js';
import { createComponents } from '../../../src/components/index.js';
import { createRenderer } from '../../../src/components/render.js';
import { others, releases } from './releases.js';

/**
 * Every file that a release gets, as it lies on the server: `test/golden/server/<release>/etc/…`. To take over changes
 * after reading them: `UPDATE_GOLDEN=1 npx vitest run --project golden test/golden/server`.
 */
const here = dirname(fileURLToPath(import.meta.url));
const components = createComponents(createRenderer(await loadTemplates()));

describe.each(Object.entries({ ...releases, ...others }))('%s', (release, model) => {
  const folder = join(here, release);
  const files = components.filter((one) => one.applies(model)).flatMap((one) => one.files(model));

  test('renders the files that were agreed on', () => {
    if (process.env.UPDATE_GOLDEN === '1') {
      rmSync(folder, { recursive: true, force: true });
      for (const { path, content } of files) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), content);
      }
    }
    const agreed = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `/${relative(folder, join(entry.parentPath, entry.name))}`);
    expect(files.map(({ path }) => path).sort()).toEqual(agreed.sort());
    for (const { path, content } of files) {
      expect(content, path).toBe(readFileSync(join(folder, path), 'utf8'));
    }
  });

  test('says of each file who manages it, and where additions go', () => {
    for (const { path, content } of files) {
      // A policy has no place for comments (RFC 8461 section 3.2).
      if (path.endsWith('.pem') || path.endsWith('/mta-sts.txt')) continue;
      expect(content.split('\n').slice(0, 6).join('\n'), path).toContain('Managed by smtp-setup');
    }
  });

  test('leaves no trace of the template language, no trailing blanks, one final newline', () => {
    for (const { path, content } of files) {
      expect(content, path).not.toMatch(/<%|%>|undefined|\[object|[ \t]\n|\n\n\n|[^\n]$|\n\n$/);
    }
  });
});
