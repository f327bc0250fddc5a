import { expect, it } from 'vitest';
import { openGivenFiles } from '../../../src/config/given-files.js';
import { createRedactor } from '../../../src/config/redact.js';
import { readMailboxPassword } from '../../../src/pipeline/mailbox-password.js';
import type { Session } from '../../../src/pipeline/session.js';
import { enter, scriptAnswers } from '../../helpers/scripted-asker.js';

function session(asker: Session['asker'], env: Record<string, string> = {}): Session {
  const context = {
    env,
    files: openGivenFiles(process.stdin),
    redactor: createRedactor(),
    randomBytes: (count: number) => new Uint8Array(count),
  };
  return { asker, context, answers: {} } as unknown as Session;
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
