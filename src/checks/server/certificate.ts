import { LineClient, type TlsState } from '../../mail/line-client.js';
import {
  connectSmtp,
  endpoint,
  judgeConversation,
  type Outcome,
  type PortMode,
  type ServerCheck,
  type ServerTarget,
  subjectOf,
} from './server-check.js';

/** The certificate as served, on every port that speaks TLS: chain, name, remaining life, protocol. */
export const certificate: ServerCheck = {
  id: 'TLS-CERT',
  title: 'The certificate is valid on every port',
  needs: [],
  ref: 'RFC 8461 section 4.2',
  async run(target, address) {
    return Promise.all(
      target.ports.map(async ({ port, mode }) => {
        const subject = subjectOf(address, port);
        try {
          return judgeTls(await readTls(target, address, port, mode), subject, target);
        } catch (error) {
          return judgeConversation(error, subject);
        }
      }),
    );
  },
};

/** What Node says of a chain whose root this machine does not know; a self-signed leaf is another matter. */
const unknownRoots = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

async function readTls(
  target: ServerTarget,
  address: string,
  port: number,
  mode: PortMode,
): Promise<TlsState | undefined> {
  if (mode === 'tls') {
    const client = await LineClient.connect(endpoint(target, address, port), { tls: true });
    client.close();
    return client.tls;
  }
  const client = await connectSmtp(target, address, port);
  await client.ehlo(target.ehloName);
  await client.startTls();
  client.close();
  return client.tls;
}

/** Life is judged by thirds: certificates are issued for 90 days today and for 45 in 2028. */
export function judgeTls(
  state: TlsState | undefined,
  subject: string,
  { now, privateCa }: Pick<ServerTarget, 'now' | 'privateCa'>,
): Outcome {
  if (!state) {
    return {
      status: 'fail',
      subject,
      message: 'TLS is not offered.',
      fix: 'Run smtp-setup apply: it restores the TLS settings.',
    };
  }
  const end = Date.parse(state.certificate.validTo);
  const life = end - Date.parse(state.certificate.validFrom);
  const left = end - now;
  const days = Math.floor(left / 86_400_000);
  const observed = `${state.protocol}, issued by ${state.certificate.issuer || 'unknown'}, ${days} days left`;
  const chainUnknown = privateCa && state.nameMatches && unknownRoots.has(state.reason ?? '');
  if (!state.authorized && !chainUnknown) {
    return {
      status: 'fail',
      subject,
      message: `The certificate does not verify: ${state.reason}.`,
      observed,
      fix: 'Run smtp-setup apply: it asks the certificate authority again.',
    };
  }
  if (left < life / 3) {
    return {
      status: 'warn',
      subject,
      message: 'Less than a third of the certificate’s life is left: renewal does not work.',
      observed,
      fix: 'On the server: systemctl status certbot.timer and certbot renew --dry-run.',
    };
  }
  const message = chainUnknown
    ? 'The certificate is of the private authority that was given.'
    : 'The certificate verifies.';
  return { status: 'pass', subject, message, observed };
}
