import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface CertificateState {
  state: 'none' | 'self-signed' | 'issued';
  /** ACME directory that the lineage comes from, when an authority issued it. */
  directory?: string;
  /** Names on the certificate in use. */
  names: readonly string[];
  /** SHA-256 over the public key, hex (TLSA `3 1 1`): of the certificate in use, when renewals keep its key. */
  digest?: string;
  /** The same of the key that is kept for the next certificate. */
  nextDigest?: string;
  /** PEM that the server was given to trust the ACME server by. */
  ca?: string;
}

/** The certificate that the daemons serve, and where certbot got it. */
export const certificate: Probe<CertificateState> = {
  script: `readlink /etc/smtp-setup/tls
echo --
for conf in /etc/letsencrypt/renewal/*.conf; do case $conf in */smtp-setup-web-*) ;; *) cat "$conf" ;; esac; done |
  sed -n 's/^server = //p' | tail -n 1
echo --
openssl x509 -in /etc/smtp-setup/tls/fullchain.pem -noout -ext subjectAltName
echo --
head -c 65536 /etc/smtp-setup/acme-ca.pem
echo --
names=$(openssl x509 -in /etc/smtp-setup/tls/fullchain.pem -noout -ext subjectAltName | tr ',' '\n' | sed -n 's/^ *DNS://p')
for name in $names; do
  grep -qx 'reuse_key = True' "/etc/letsencrypt/renewal/$name.conf" || continue
  openssl x509 -in /etc/smtp-setup/tls/fullchain.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum
  break
done
echo --
[ -s /etc/smtp-setup/keys/next.pem ] && openssl pkey -in /etc/smtp-setup/keys/next.pem -pubout -outform DER | sha256sum
true`,
  parse({ stdout }) {
    const [link = '', server = '', names = '', ca = '', current = '', next = ''] = readParts(stdout, 6);
    const target = link.trim();
    const directory = readLines(server)[0];
    const state = target.startsWith('certs/issued-')
      ? 'issued'
      : target === 'certs/self-signed'
        ? 'self-signed'
        : 'none';
    const digest = state === 'issued' ? readDigest(current) : undefined;
    const nextDigest = readDigest(next);
    return {
      state,
      ...(digest === undefined ? {} : { digest }),
      ...(nextDigest === undefined ? {} : { nextDigest }),
      ...(ca.includes('-----BEGIN CERTIFICATE-----') ? { ca } : {}),
      ...(directory !== undefined && URL.canParse(directory) ? { directory } : {}),
      names: [...names.matchAll(/DNS:([A-Za-z0-9.*-]+)/g)].flatMap(([, name]) =>
        name ? [name.toLowerCase()] : [],
      ),
    };
  },
};

function readDigest(text: string): string | undefined {
  return /^([0-9a-f]{64})\s/.exec(text)?.[1];
}
