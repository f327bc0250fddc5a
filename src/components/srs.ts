import type { Component } from './component.js';
import { postfixWord } from './escape.js';
import type { ServerModel } from './model.js';
import type { Render } from './render.js';
import { atLeast } from './version.js';

/**
 * Sender Rewriting Scheme: mail that an alias or a Sieve script sends on to the outside gets a sender of ours, because
 * SPF of the original one does not hold for this server; bounces find their way back. Postfix decides what is rewritten.
 */
export function createSrs(render: Render): Component {
  return {
    id: 'srs',
    title: 'PostSRSd (senders of forwarded mail)',
    needs: ['accounts'],
    applies: (model) => srsDomain(model) !== undefined,
    packages: () => ['postsrsd'],
    files: (model) => {
      const domain = srsDomain(model);
      if (domain === undefined) return [];
      const own = ownNames(model).map(postfixWord);
      const unit = '/etc/systemd/system/postsrsd.service.d/smtp-setup.conf';
      return hasSocketmap(model)
        ? [
            file(unit, render('srs/unit-2', {})),
            file(
              '/etc/smtp-setup/postsrsd.conf',
              render('srs/postsrsd.conf', {
                domain: postfixWord(domain),
                domains: own.map((name) => `"${name}"`).join(', '),
              }),
            ),
          ]
        : [file(unit, render('srs/unit-1', { domain: postfixWord(domain), own: own.join(',') }))];
    },
    units: () => [{ name: 'postsrsd.service', onChange: 'restart' }],
    unitFiles: ['postsrsd.service'],
    ports: () => [],
    watch: ['/etc/systemd/system/postsrsd.service.d/smtp-setup.conf', '/etc/smtp-setup/postsrsd.conf'],
    validate: () => [],
    probe: (model) => {
      const domain = srsDomain(model);
      // An undo may bring it back where the configuration has no domain for it any more.
      if (domain === undefined) return [];
      const { forward, reverse } = srsTables(model, '/var/spool/postfix/');
      return [{ fn: 'srs_probe', args: [domain, forward, reverse] }];
    },
    steps: () => [],
  };
}

/** The domain of rewritten senders: one whose mail comes here, or bounces would go elsewhere. */
export function srsDomain(model: ServerModel): string | undefined {
  if (model.profile !== 'mailboxes') return undefined;
  return model.domains.find(({ receives = true }) => receives)?.name;
}

/** Domains whose senders are ours, and are never rewritten. */
export function ownNames(model: ServerModel): string[] {
  return [...new Set([...model.domains.map(({ name }) => name), model.hostname])];
}

/** PostSRSd's two lookup tables, as Postfix names them. */
export function srsTables(model: ServerModel, queue = ''): { forward: string; reverse: string } {
  return hasSocketmap(model)
    ? { forward: `socketmap:unix:${queue}srs:forward`, reverse: `socketmap:unix:${queue}srs:reverse` }
    : { forward: 'tcp:127.0.0.1:10001', reverse: 'tcp:127.0.0.1:10002' };
}

function hasSocketmap(model: ServerModel): boolean {
  return atLeast(model.versions.postsrsd, '2');
}

function file(path: string, content: string) {
  return { path, mode: '0644', owner: 'root:root', group: 'srs', content };
}
