import { messageOf } from '../../errors.js';
import type { Finding } from '../check.js';
import { authNeedsTls } from './auth-needs-tls.js';
import { onBlockLists } from './block-lists.js';
import { certificate } from './certificate.js';
import { ehloPtr } from './ehlo-ptr.js';
import { forgedSender } from './forged-sender.js';
import { greeting } from './greeting.js';
import { loginRequired } from './login-required.js';
import { noAuthOn25 } from './no-auth-on-25.js';
import { outbound25 } from './outbound-25.js';
import { portsClosed, portsOpen } from './ports.js';
import { recipients } from './recipients.js';
import { relay } from './relay.js';
import { type Outcome, type ServerCheck, type ServerTarget, toFinding } from './server-check.js';
import { smuggling } from './smuggling.js';
import { tlsVersions } from './tls-versions.js';
import { vrfy } from './vrfy.js';
import { autoconfigServed, autodiscoverServed, stsServed, webCertificate } from './web.js';

/** Every check of the running server. A new one is one file and one line here. */
export const serverChecks: readonly ServerCheck[] = [
  portsOpen,
  portsClosed,
  greeting,
  ehloPtr,
  certificate,
  tlsVersions,
  noAuthOn25,
  authNeedsTls,
  loginRequired,
  relay,
  recipients,
  vrfy,
  smuggling,
  forgedSender,
  autoconfigServed,
  autodiscoverServed,
  stsServed,
  webCertificate,
  onBlockLists,
  outbound25,
];

/** What must hold before mail is invited: the MX waits for these. */
export const gateChecks: readonly ServerCheck[] = [
  greeting,
  certificate,
  noAuthOn25,
  authNeedsTls,
  loginRequired,
  relay,
  recipients,
  smuggling,
];

/** What must hold before a backup is named as a second MX. */
export const backupGate: readonly ServerCheck[] = [greeting, noAuthOn25, relay, recipients];

/** Postfix counts the connections that a client holds at once; an eager checker would be told to come back later. */
const atOnce = 5;

/** Asks every address everything; a check that breaks is unknown, never a pass. */
export async function runServerChecks(
  target: ServerTarget,
  checks: readonly ServerCheck[] = serverChecks,
): Promise<Finding[]> {
  const usable = checks.filter(({ needs }) => needs.every((need) => target[need] !== undefined));
  const jobs = target.addresses.flatMap((address) => usable.map((check) => ({ check, address })));
  const found = new Map<(typeof jobs)[number], Finding[]>();
  // A server looks longer at whoever comes for the first time: that is waited for at all addresses at once.
  const waiting = usable.flatMap((check) => jobs.filter((job) => job.check === check));
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
        found.set(job, await runOne(target, job.check, job.address));
      }
    }),
  );
  return jobs.flatMap((job) => found.get(job) ?? []);
}

async function runOne(target: ServerTarget, check: ServerCheck, address: string): Promise<Finding[]> {
  try {
    return (await check.run(target, address)).map((outcome) => toFinding(check, outcome));
  } catch (error) {
    const outcome: Outcome = { status: 'unknown', subject: address, message: messageOf(error) };
    return [toFinding(check, outcome)];
  }
}
