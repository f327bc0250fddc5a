import { expect, it } from 'vitest';
import { findViolations } from '../../../scripts/check-imports.mjs';

it.each([
  ['an edge imports another', 'ssh/a.ts', "import { b } from '../ui/b.js';"],
  ['an edge imports a type of another', 'ui/a.ts', "import type { B } from '../sandbox/b.js';"],
  ['an edge imports another through a dynamic import', 'sandbox/a.ts', "await import('../ssh/b.js');"],
  ['one edge of dns imports the other', 'dns/providers/a.ts', "import { b } from '../resolver/b.js';"],
  ['anything but main imports cli', 'ui/a.ts', "import { b } from '../cli/context.js';"],
  ['the pipeline imports code of cli', 'pipeline/a.ts', "import { b } from '../cli/context.js';"],
  ['the core re-exports an edge', 'plan/a.ts', "export { b } from '../ssh/b.js';"],
  [
    'the core imports an edge over several lines',
    'plan/a.ts',
    "import {\n  a,\n  b,\n} from '../dns/resolver/index.js';",
  ],
  ['the core reads files', 'components/a.ts', "import { readFileSync } from 'node:fs';"],
  ['the core looks at the clock', 'dns/spf/a.ts', 'const now = Date.now();'],
  ['the core throws dice', 'lib/a.ts', 'const x = Math.random();'],
  ['the core looks at the process', 'plan/a.ts', 'const x = process.platform;'],
  ['the core fetches', 'dns/records/a.ts', "await fetch('https://x');"],
  ['a package leaves its home', 'apply/a.ts', "import chalk from 'chalk';"],
  ['inquirer is met outside ui/ask', 'ui/io.ts', "import inquirer from 'inquirer';"],
  ['a package has no home', 'ui/a.ts', "import x from '@scope/left-pad/sub';"],
  ['the environment is read far from home', 'ssh/a.ts', 'const x = process.env.HOME;'],
  ['something exits', 'apply/a.ts', 'process.exit(1);'],
])('is a violation when %s', (_what, path, text) => {
  expect(findViolations(path, text)).toHaveLength(1);
});

it.each([
  ['an edge within itself', 'ssh/a.ts', "import { b } from './b.js';\nimport ssh2 from 'ssh2';"],
  ['an edge and the core', 'ui/a.ts', "import { formatData } from '../dns/canonical.js';"],
  ['the core and a type of an edge', 'dns/diff.ts', "import type { Change } from './providers/provider.js';"],
  ['cli and anything', 'cli/context.ts', "import { b } from '../ssh/b.js';\nconst x = process.env.HOME;"],
  ['the pipeline and the types of cli', 'pipeline/a.ts', "import type { B } from '../cli/context.js';"],
  ['main and cli', 'main.ts', "import { b } from './cli/b.js';\nprocess.exit(1);"],
  [
    'words in comments and strings',
    'plan/a.ts',
    "// import x from '../ssh/x.js'\nconst text = 'the process. ended';",
  ],
])('is no violation between %s', (_what, path, text) => {
  expect(findViolations(path, text)).toEqual([]);
});
