import type { ManagedFile } from '../plan/step.js';
import type { Component } from './component.js';
import { unboundString } from './escape.js';
import type { Render } from './render.js';
import { parseTrustAnchors } from './trust-anchor.js';

/** Names that unbound answers itself by default (RFC 6303, RFC 6761); behind a forwarder they may be real. */
const privateZones = [
  'test.',
  'home.arpa.',
  '10.in-addr.arpa.',
  '168.192.in-addr.arpa.',
  '254.169.in-addr.arpa.',
  ...Array.from({ length: 16 }, (_, index) => `${16 + index}.172.in-addr.arpa.`),
  '2.0.192.in-addr.arpa.',
  '100.51.198.in-addr.arpa.',
  '113.0.203.in-addr.arpa.',
  'd.f.ip6.arpa.',
  '8.b.d.0.1.0.0.2.ip6.arpa.',
];

/** The server's own validating resolver on loopback. */
export function createUnbound(render: Render): Component {
  return {
    id: 'unbound',
    title: 'unbound (validating resolver on 127.0.0.1)',
    needs: [],
    applies: () => true,
    packages: () => ['unbound', 'dns-root-data'],
    files: (model) => [
      file(
        'unbound.conf',
        render('unbound/unbound.conf', {
          ipv6: model.ipv6,
          anchors: parseTrustAnchors(model.resolver.trustAnchor ?? '').map(unboundString),
          forwarder: forwardAddress(model.resolver.forwarder),
          privateZones: model.resolver.forwarder === undefined ? [] : privateZones.map(unboundString),
        }),
      ),
      // An include that matches no file is an error to unbound.
      file('local.d/smtp-setup.conf', render('unbound/local', {})),
    ],
    units: () => [{ name: 'unbound.service', onChange: 'restart' }],
    unitFiles: ['unbound.service'],
    ports: () => [],
    watch: ['/etc/unbound/unbound.conf', '/etc/unbound/local.d/smtp-setup.conf'],
    validate: () => [{ fn: 'unbound_validate', args: [] }],
    probe: (model) => [{ fn: 'unbound_probe_recursion', args: [model.hostname] }],
    steps: (model) =>
      model.has.ownResolver
        ? []
        : [
            {
              id: 'resolver-switch',
              run: 'install',
              // Before the daemons start that read /etc/resolv.conf once (Postfix copies it into its chroot).
              after: 'files',
              title: 'Ask the own resolver from now on',
              reason: '/etc/resolv.conf names another one',
              calls: [{ fn: 'unbound_switch_resolver', args: [model.hostname] }],
            },
          ],
  };
}

function file(name: string, content: string): ManagedFile {
  return { path: `/etc/unbound/${name}`, mode: '0644', owner: 'root:root', content, group: 'unbound' };
}

/** `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:53` → unbound's `address@port`; empty without one. */
function forwardAddress(text: string | undefined): string {
  if (text === undefined) return '';
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(
      text,
    ) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined)
    throw new Error(`not an address for a forwarder: ${JSON.stringify(text.slice(0, 60))}`);
  return port === undefined ? address : `${address}@${port}`;
}
