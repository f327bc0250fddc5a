import { X509Certificate } from 'node:crypto';
import type { Verdict } from '../check.js';
import type { DnsCheck, DnsContext } from './context.js';
import { findOwnHosts, readAddresses } from './facts.js';
import { splitReachable } from './reachable.js';
import type { SmtpLook } from './smtp-probe.js';

const group = 'TLS';
const ports = [25, 465, 587] as const;

interface Looked {
  host: string;
  subject: string;
  port: number;
  look: SmtpLook;
}

/** One look at each mail port of each own address, shared by the checks below. */
function readLooks(ctx: DnsContext): Promise<readonly Looked[]> {
  return ctx.once('smtp', async () => {
    const { probe } = ctx.deps;
    if (!probe) return [];
    const hosts = await findOwnHosts(ctx);
    const found = await Promise.all(
      hosts.map(async (host) => {
        const { addresses } = await readAddresses(ctx, host);
        const { allowed } = splitReachable(addresses, ctx.deps.connectPrivate ?? ctx.deps.privateNetwork);
        // A foreign host's submission ports are not the domain's business.
        const wanted = ctx.target.host === undefined ? ports.slice(0, 1) : ports;
        return Promise.all(
          allowed.slice(0, 4).flatMap((address) =>
            wanted.map(async (port) => ({
              host,
              subject: `${host} (${address}) port ${port}`,
              port,
              look: await probe({ address, port, servername: host }),
            })),
          ),
        );
      }),
    );
    return found.flat();
  });
}

function verdict(
  status: Verdict['status'],
  looked: Looked,
  message: string,
  rest: Partial<Verdict> = {},
): Verdict {
  return { status, subject: looked.subject, message, ...rest };
}

export const startTlsCheck: DnsCheck = {
  id: 'TLS-STARTTLS',
  group,
  severity: 'fail',
  title: 'Every mail port offers TLS',
  ref: 'RFC 3207, RFC 8314',
  needs: ['smtp'],
  async run(ctx) {
    return (await readLooks(ctx)).map((looked) => {
      const { look } = looked;
      if (look.ok)
        return look.tls
          ? verdict('pass', looked, 'TLS is offered.')
          : verdict('fail', looked, 'TLS is not offered: mail travels in the clear.', {
              fix: { text: 'Give the mail server a certificate and switch TLS on.' },
            });
      // Home and CI networks block port 25; silence proves nothing.
      if (look.reason === 'silent')
        return verdict('unknown', looked, 'The port cannot be reached from here.', { observed: look.detail });
      return verdict(
        'fail',
        looked,
        look.reason === 'refused' ? 'Nobody listens at the port.' : 'The conversation broke off.',
        { observed: look.detail, fix: { text: 'Look at the mail server and its firewall.' } },
      );
    });
  },
};

const dayMs = 86_400_000;

export const certificateCheck: DnsCheck = {
  id: 'TLS-CERT',
  group,
  severity: 'fail',
  title: 'The certificate is valid for the host',
  ref: 'RFC 8461 section 4.2',
  needs: ['smtp'],
  async run(ctx) {
    const strict = ctx.expected('mta-sts').length > 0;
    return (await readLooks(ctx)).flatMap((looked): Verdict[] => {
      const { look } = looked;
      if (!look.ok || !look.tls) return [];
      const left = look.validTo === undefined ? undefined : look.validTo - ctx.deps.now();
      if (left !== undefined && left <= 0)
        return [
          verdict('fail', looked, 'The certificate has expired.', {
            fix: { text: 'Renew the certificate: smtp-setup apply.' },
          }),
        ];
      if (look.untrusted !== undefined)
        return [
          verdict(
            strict || looked.port !== 25 ? 'fail' : 'warn',
            looked,
            'The certificate is not trusted for the host name.',
            {
              observed: look.untrusted,
              fix: { text: 'Get a certificate for the host name: smtp-setup apply.' },
            },
          ),
        ];
      if (left === undefined) return [];
      // Lifetimes shrink from 90 to 45 days, so the threshold is a share of them: renewal starts at a third.
      const lifetime =
        look.validTo !== undefined && look.validFrom !== undefined
          ? look.validTo - look.validFrom
          : 90 * dayMs;
      const days = Math.floor(left / dayMs);
      return left < lifetime / 6
        ? [
            verdict('warn', looked, `The certificate ends in ${days} days and was not renewed yet.`, {
              fix: { text: 'Look at the renewal: journalctl -u certbot on the server.' },
            }),
          ]
        : [verdict('pass', looked, `Valid for ${days} more days.`)];
    });
  },
};

export const tlsVersionCheck: DnsCheck = {
  id: 'TLS-VER',
  group,
  severity: 'warn',
  title: 'TLS 1.2 or newer, with strong keys',
  ref: 'RFC 8996, RFC 9325',
  needs: ['smtp'],
  async run(ctx) {
    return (await readLooks(ctx)).flatMap((looked): Verdict[] => {
      const { look } = looked;
      if (!look.ok || look.version === undefined) return [];
      if (look.version !== 'TLSv1.2' && look.version !== 'TLSv1.3')
        return [
          verdict('warn', looked, `${look.version} is outdated.`, {
            expected: 'TLSv1.2 or TLSv1.3',
            fix: { text: 'Switch old TLS versions off in the mail server.' },
          }),
        ];
      const weak = findWeakness(look);
      return weak === undefined
        ? [verdict('pass', looked, `${look.version}.`)]
        : [verdict('warn', looked, weak, { observed: look.cipher ?? '', ...strong })];
    });
  },
};

const strong = {
  expected: 'forward secrecy, AES-GCM or ChaCha20, RSA and Diffie-Hellman of 2048 bits and more',
  fix: { text: 'Give the mail server the cipher suites and parameters of a current system.' },
};

/** What a client of today is talked into; what an old one would be is for a scanner to find out (testssl.sh). */
function findWeakness({
  chain,
  cipher = '',
  dhBits,
  version,
}: Extract<SmtpLook, { ok: true }>): string | undefined {
  const bits = rsaBits(chain[0]);
  if (bits !== undefined && bits < 2048) return `The certificate's RSA key has only ${bits} bits.`;
  if (dhBits !== undefined && dhBits < 2048) return `The Diffie-Hellman exchange has only ${dhBits} bits.`;
  if (version === 'TLSv1.3' || cipher === '') return undefined;
  if (/NULL|EXP|RC4|DES|MD5|ADH|AECDH/.test(cipher)) return `The cipher suite ${cipher} is broken.`;
  return /^(?:ECDHE|DHE)-/.test(cipher) ? undefined : `The cipher suite ${cipher} has no forward secrecy.`;
}

function rsaBits(der: Uint8Array | undefined): number | undefined {
  if (der === undefined) return undefined;
  const { publicKey } = new X509Certificate(der);
  return publicKey.asymmetricKeyType === 'rsa' ? publicKey.asymmetricKeyDetails?.modulusLength : undefined;
}
