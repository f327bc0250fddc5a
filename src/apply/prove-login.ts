import { Exit, messageOf, SetupError } from '../errors.js';
import { sanitizeLine } from '../lib/sanitize.js';
import type { Connector } from '../ssh/connection.js';

/** The timer of templates/run/firewall.sh that takes new rules back. */
const timer = 'smtp-setup-firewall-deadman.timer';
/** Not enabled until a login works: a reboot does not bring the rules back either. */
const unit = 'smtp-setup-firewall.service';
/** It did. */
const fired = '/run/smtp-setup-firewall.fired';

/** Milliseconds; the timer waits for three minutes. */
const patience = 60_000;

/** No server boots here, so an answer that refuses is soon believed: five come within eight seconds. */
const refusals = 5;

/** Steps after which the server's packet filter may be another one (components/firewall.ts). */
export function changesFirewall(stepId: string): boolean {
  return ['files-firewall', 'units-firewall', 'firewall-keep', 'firewall-load'].includes(stepId);
}

/**
 * Logs in anew: an open connection lives on under rules that let no new one in. Only that login stops the timer, and has the
 * rules come back after a reboot.
 * Throws E_LOCKED_OUT, or what `signal` was aborted with.
 */
export async function proveLogin(connector: Connector, signal?: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(patience);
  try {
    const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    const fresh = await connector.connect(either, refusals);
    try {
      const stopped = await fresh.exec(
        `systemctl stop ${timer}; code=$?
if [ -e ${fired} ]; then echo fired
elif [ $code = 0 ]; then systemctl enable ${unit} || exit; fi
exit $code`,
        {
          root: true,
          signal: limit,
        },
      );
      // An old connection that was cut, too, comes back only when the rules are gone, and this login with it.
      if (stopped.stdout.trim() === 'fired')
        throw new Error('the three minutes were over before a login worked');
      // 5: it is not there (systemctl(1)); a rule set that was not changed after all needs no proof.
      if (stopped.code !== 0 && stopped.code !== 5)
        throw new Error(`the rules cannot be kept: ${stopped.stderr.trim() || `status ${stopped.code}`}`);
    } finally {
      await fresh.close();
    }
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new SetupError({
      code: 'E_LOCKED_OUT',
      exit: Exit.failed,
      what: 'A fresh login did not work under the new firewall rules; the server takes them back by itself within three minutes.',
      evidence: [sanitizeLine(messageOf(error))],
      fix: [
        'Look at the rules: /etc/smtp-setup/firewall.nft and /etc/smtp-setup/local/firewall-*.nft on the server.',
        'Then run apply again. Without a firewall of ours: `firewall: false` for the server in smtp-setup.yaml.',
      ],
      cause: error,
    });
  }
}
