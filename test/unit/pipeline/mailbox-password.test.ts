import { expect, it } from 'vitest';
import type { Answers } from '../../../src/config/answers.js';
import { openGivenFiles } from '../../../src/config/given-files.js';
import { createRedactor } from '../../../src/config/redact.js';
import { readMailboxPassword } from '../../../src/pipeline/mailbox-password.js';
import type { Session } from '../../../src/pipeline/session.js';
import { enter, scriptAnswers } from '../../helpers/scripted-asker.js';

function session(asker: Session['asker'], env: Record<string, string> = {}, answers: Answers = {}): Session {
  const context = {
    env,
    files: openGivenFiles(process.stdin),
    redactor: createRedactor(),
    randomBytes: (count: number) => new Uint8Array(count),
  };
  return { asker, context, answers } as unknown as Session;
}

it('asks for the password of a new mailbox, not for one that would be thrown away', async () => {
  const asked = scriptAnswers([['password', enter]]);
  expect((await readMailboxPassword(session(asked), 'ada@example.org')).generated).toBe(true);
  asked.finish();
  const silent = scriptAnswers([]);
  await readMailboxPassword(session(silent), 'ada@example.org', { exists: true });
  // One that was given is judged all the same.
  const weak = session(silent, { SMTP_SETUP_PASSWORD: 'ada' });
  await expect(readMailboxPassword(weak, 'ada@example.org', { exists: true })).rejects.toMatchObject({
    code: 'E_PASSWORD_WEAK',
  });
});

it('is refused where the variable and its _FILE both give one; a flag goes before them', async () => {
  const env = { SMTP_SETUP_PASSWORD: 'Correct-Kite-Zebra-77', SMTP_SETUP_PASSWORD_FILE: '/none' };
  const fromEnv = { value: '/none', origin: { from: 'env', name: 'SMTP_SETUP_PASSWORD_FILE' } } as const;
  const both = session(scriptAnswers([]), env, { passwordFile: fromEnv });
  await expect(readMailboxPassword(both, 'ada@example.org')).rejects.toMatchObject({
    code: 'E_SECRET_AMBIGUOUS',
  });
  const flag = { value: '/none', origin: { from: 'flag', name: '--password-file' } } as const;
  const given = session(scriptAnswers([]), env, { passwordFile: flag });
  await expect(readMailboxPassword(given, 'ada@example.org')).rejects.toMatchObject({
    code: 'E_FILE_UNREADABLE',
    evidence: ['given by --password-file'],
  });
});
