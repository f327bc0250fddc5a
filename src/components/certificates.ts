import { Exit, SetupError } from '../errors.js';
import type { Component } from './component.js';
import { postfixWord } from './escape.js';
import type { ServerModel } from './model.js';
import { postfixUnit } from './postfix.js';
import type { Render } from './render.js';

/** The certificate: self-signed until an authority has issued one; renewed with the same key. */
export function createCertificates(render: Render): Component {
  return {
    id: 'certificates',
    title: 'Certificate (certbot)',
    needs: ['nginx'],
    // The authority takes its time, too.
    early: 2,
    applies: () => true,
    packages: () => ['certbot', 'openssl', 'ca-certificates'],
    files: (model) => {
      const file = (path: string, mode: string, content: string) => ({
        path,
        mode,
        owner: 'root:root',
        content,
        group: 'certificates',
      });
      return [
        file(
          '/etc/letsencrypt/renewal-hooks/deploy/smtp-setup',
          '0755',
          render('certbot/deploy-hook', {
            hostname: postfixWord(model.hostname),
            units: `${postfixUnit(model)} dovecot.service nginx.service`,
          }),
        ),
        ...(model.acmeCa === undefined
          ? []
          : [
              file('/etc/smtp-setup/acme-ca.pem', '0644', pemOnly(model.acmeCa)),
              file(
                '/etc/systemd/system/certbot.service.d/smtp-setup.conf',
                '0644',
                render('certbot/service.d.conf', {}),
              ),
            ]),
      ];
    },
    units: () => [{ name: 'certbot.timer', onChange: 'restart' }],
    unitFiles: ['certbot.timer'],
    ports: () => [],
    watch: [
      '/etc/letsencrypt/renewal-hooks/deploy/smtp-setup',
      '/etc/smtp-setup/acme-ca.pem',
      '/etc/systemd/system/certbot.service.d/smtp-setup.conf',
    ],
    validate: () => [{ fn: 'certificates_validate', args: [] }],
    probe: () => [],
    steps: (model) => [
      ...(model.certificate === 'none'
        ? [
            {
              id: 'certificate-self-signed',
              run: 'install',
              after: 'packages',
              title: `Make a self-signed certificate for ${model.hostname}, until the real one is there`,
              reason: 'there is no certificate',
              calls: [{ fn: 'certificates_self_signed', args: [model.hostname] }],
            } as const,
          ]
        : []),
      ...(model.has.nextKey
        ? []
        : [
            {
              id: 'certificate-next-key',
              run: 'install',
              after: 'packages',
              title: 'Make the key of the next certificate',
              reason: 'DANE announces it before it is used',
              calls: [{ fn: 'certificates_next_key', args: [] }],
            } as const,
          ]),
      ...(model.certificate === 'issued'
        ? []
        : [
            {
              id: 'certificate-issue',
              run: 'certify',
              after: 'services',
              title: `Get a certificate for ${model.hostname} from ${authority(model)}`,
              reason: 'no authority has issued one yet',
              calls: [
                // Its restart leaves the server without names for a moment.
                { fn: 'await_proof', args: ['unbound'] },
                {
                  fn: 'certificates_issue',
                  args: [model.hostname, model.acmeDirectory ?? '', model.acmeEmail ?? ''],
                },
              ],
            } as const,
          ]),
    ],
  };
}

function authority(model: ServerModel): string {
  return model.acmeDirectory === undefined ? "Let's Encrypt" : new URL(model.acmeDirectory).host;
}

// What else the file holds (a key beside its certificate) has no business on the server.
function pemOnly(text: string): string {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    throw new SetupError({
      code: 'E_ACME_CA',
      exit: Exit.usage,
      what: 'The file of the ACME CA holds no certificate in PEM form.',
      evidence: [`given by --acme-ca, ${text.length} characters without -----BEGIN CERTIFICATE-----`],
      fix: ['Name the CA certificate that the ACME server itself is reached with; nothing was changed.'],
    });
  }
  return `${blocks.join('\n')}\n`;
}
