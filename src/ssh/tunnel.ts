import type { Duplex } from 'node:stream';
import { messageOf } from '../errors.js';
import type { SshTarget } from './connection.js';
import { cancelled, refuseLogin } from './failures.js';
import type { Ssh2Connection } from './ssh2-connection.js';

/** A stream to `to` through a jump host, as ssh -W opens it. */
export function openTunnel(via: Ssh2Connection, to: SshTarget, signal?: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled(signal));
    const onAbort = () => reject(cancelled(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    via.forward(to.host, to.port, (error, stream) => {
      signal?.removeEventListener('abort', onAbort);
      if (stream && !signal?.aborted) resolve(stream);
      else if (stream) stream.destroy();
      else {
        reject(
          refuseLogin({
            code: 'E_SSH_JUMP',
            what: `The jump host ${via.target.host} cannot reach ${to.host} port ${to.port}.`,
            evidence: [messageOf(error)],
            fix: ['Check ProxyJump in ~/.ssh/config, and AllowTcpForwarding on the jump host.'],
            cause: error,
          }),
        );
      }
    });
    return undefined;
  });
}
