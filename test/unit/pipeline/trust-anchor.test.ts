import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Answers } from '../../../src/config/answers.js';
import { openGivenFiles } from '../../../src/config/given-files.js';
import { serverSchema } from '../../../src/config/schema.js';
import { readTrustAnchor } from '../../../src/pipeline/make-plan.js';
import type { Session } from '../../../src/pipeline/session.js';

const folder = mkdtempSync(join(tmpdir(), 'anchor-'));
afterAll(() => rmSync(folder, { recursive: true }));
const configPath = join(folder, 'smtp-setup.yaml');

function read(trustAnchor: string, answers: Answers = {}) {
  const context = { files: openGivenFiles(process.stdin), homeDir: '/home/ada' };
  const session = { context, configPath, answers } as unknown as Session;
  return readTrustAnchor(session, serverSchema.parse({ ssh: 'root@h', resolver: { trustAnchor } }));
}

it('reads the trust anchor of the configuration beside it, wherever the command runs', async () => {
  writeFileSync(join(folder, 'root.key'), '. IN DS 1 8 2 AB\n');
  expect(await read('./root.key')).toEqual({ trustAnchor: '. IN DS 1 8 2 AB\n' });
});

it('says who named one that is not there', async () => {
  await expect(read('none')).rejects.toMatchObject({
    code: 'E_FILE_UNREADABLE',
    message: `The file ${join(folder, 'none')} does not exist.`,
    evidence: [`given by resolver.trustAnchor in ${configPath}`],
  });
  const origin = { from: 'flag', name: '--trust-anchor' } as const;
  await expect(read('none', { trustAnchor: { value: 'other', origin } })).rejects.toMatchObject({
    evidence: ['given by --trust-anchor'],
  });
});
