import type { SetupError } from '../errors.js';
import type { ChannelOutcome } from './channel.js';
import type { SshTarget } from './connection.js';
import { expiredPassword, refuseLogin } from './failures.js';
import { readableLines } from './printable.js';

/** The account can log in, but what answers there is no shell that starts sh. */
export function refuseShell(
  target: SshTarget,
  outcome: Pick<ChannelOutcome, 'noiseOut' | 'noiseErr' | 'code'>,
): SetupError {
  const said = readableLines(`${outcome.noiseOut}\n${outcome.noiseErr}`);
  if (/password.*(expired|change required)|expired.*password/i.test(said.join(' '))) {
    return expiredPassword(target.user, target.host, said);
  }
  return refuseLogin({
    code: 'E_SSH_SHELL',
    what: `${target.user} can log in to ${target.host}, but cannot run commands there.`,
    evidence: [...said, `exit status ${outcome.code ?? 'none'}; sh did not start`],
    fix: [
      `Give ${target.user} a normal login shell (usermod -s /bin/bash ${target.user}),`,
      'and remove ForceCommand in sshd_config or "command=" in authorized_keys for this login.',
    ],
  });
}
