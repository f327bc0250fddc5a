import type { Probe } from './probe.js';
import { readLines, readParts } from './text.js';

export interface CertificateState {
  state: 'none' | 'self-signed' | 'issued';
  /** ACME directory that the lineage comes from, when an authority issued it. */
  directory?: string;
  /** Names on the certificate in use. */
  names: readonly string[];
  /** PEM that the server was given to trust the ACME server by. */
  ca?: string;
}

/** The certificate that the daemons serve, and where certbot got it. */
export const certificate: Probe<CertificateState> = {
  script: `readlink /etc/smtp-setup/tls
echo --
cat /etc/letsencrypt/renewal/*.conf | sed -n 's/^server = //p' | tail -n 1
echo --
openssl x509 -in /etc/smtp-setup/tls/fullchain.pem -noout -ext subjectAltName
echo --
head -c 65536 /etc/smtp-setup/acme-ca.pem
true`,
  parse({ stdout }) {
    const [link = '', server = '', names = '', ca = ''] = readParts(stdout, 4);
    const target = link.trim();
    const directory = readLines(server)[0];
    const state = target.startsWith('certs/issued-')
      ? 'issued'
      : target === 'certs/self-signed'
        ? 'self-signed'
        : 'none';
    return {
      state,
      ...(ca.includes('-----BEGIN CERTIFICATE-----') ? { ca } : {}),
      ...(directory !== undefined && URL.canParse(directory) ? { directory } : {}),
      names: [...names.matchAll(/DNS:([A-Za-z0-9.*-]+)/g)].flatMap(([, name]) =>
        name ? [name.toLowerCase()] : [],
      ),
    };
  },
};
