import { messageOf } from '../../errors.js';
import type { Finding } from '../check.js';
import { authNeedsTls } from './auth-needs-tls.js';
import { certificate } from './certificate.js';
import { greeting } from './greeting.js';
import { noAuthOn25 } from './no-auth-on-25.js';
import { recipients } from './recipients.js';
import { relay } from './relay.js';
import { type ServerCheck, type ServerTarget, toFinding } from './server-check.js';

export const serverChecks: readonly ServerCheck[] = [
  greeting,
  certificate,
  noAuthOn25,
  authNeedsTls,
  relay,
  recipients,
];

/** Asks every address everything; a check that breaks is unknown, never a pass. */
export async function runServerChecks(target: ServerTarget): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const address of target.addresses) {
    const usable = serverChecks.filter((check) => check.needs === 'nothing' || target.login);
    const results = await Promise.all(
      usable.map(async (check) => {
        try {
          return (await check.run(target, address)).map((outcome) => toFinding(check, outcome));
        } catch (error) {
          const outcome = { status: 'unknown' as const, subject: address, message: messageOf(error) };
          return [toFinding(check, outcome)];
        }
      }),
    );
    findings.push(...results.flat());
  }
  return findings;
}
