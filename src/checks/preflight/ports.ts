import type { Listener } from '../../facts/listeners.js';
import type { Finding } from '../check.js';
import { finding, type PreflightContext, type PreflightFacts } from './rule.js';

/** Programs that are ours, or that our packages replace, by port. Anything else on the port is in the way. */
const welcome: Readonly<Record<number, readonly string[]>> = {
  25: ['master', 'smtpd', 'postscreen', 'exim4', 'sendmail', 'sendmail-mta'],
  465: ['master', 'smtpd'],
  587: ['master', 'smtpd', 'sendmail', 'sendmail-mta'],
  993: ['dovecot', 'imap-login'],
  4190: ['dovecot', 'managesieve-login', 'managesieve-lo'],
  80: ['nginx'],
  443: ['nginx'],
};

export function checkPorts(facts: PreflightFacts, context: PreflightContext): Finding[] {
  const taken = context.ports.flatMap((port) => {
    const wrong = facts.listeners.find(
      (one) => one.protocol === 'tcp' && one.port === port && !isWelcome(one, port),
    );
    return wrong ? [describeTaken(wrong)] : [];
  });
  const resolver = checkResolverPort(facts.listeners);
  if (taken.length + resolver.length > 0) return [...taken, ...resolver];
  return [finding('SRV-PORTS', 'pass', 'Ports', context.ports.join(', '), 'free, or in our own hands')];
}

function isWelcome(listener: Listener, port: number): boolean {
  // Without a name the kernel did not tell; a taken port then shows when the daemon starts.
  return listener.process === undefined || (welcome[port] ?? []).includes(listener.process);
}

function describeTaken({ port, process, pid, address }: Listener): Finding {
  const docker = process === 'docker-proxy';
  return finding(
    'SRV-PORT-TAKEN',
    'fail',
    'Port taken',
    `TCP port ${port}`,
    `${process} listens on port ${port}.`,
    {
      expected: `port ${port} free`,
      observed: `${process}, process ${pid}, on ${address}`,
      fix: docker
        ? 'A container publishes this port: stop it (docker ps shows which), or use another server for mail.'
        : `Stop it on the server (systemctl status ${pid} names its unit; then systemctl disable --now UNIT), or use another server for mail.`,
    },
  );
}

/** Our own resolver needs 127.0.0.1:53; systemd-resolved's stub on 127.0.0.53 is not in its way. */
function checkResolverPort(listeners: readonly Listener[]): Finding[] {
  const wrong = listeners.find(
    ({ port, address, process }) =>
      port === 53 &&
      ['127.0.0.1', '0.0.0.0', '*', '::'].includes(address) &&
      process !== undefined &&
      process !== 'unbound',
  );
  if (!wrong) return [];
  return [
    finding(
      'SRV-PORT-TAKEN',
      'fail',
      'Port taken',
      `${wrong.protocol.toUpperCase()} port 53`,
      `${wrong.process} listens on port 53.`,
      {
        expected: '127.0.0.1 port 53 free for the local resolver',
        observed: `${wrong.process}, process ${wrong.pid}, on ${wrong.address}`,
        fix: `Stop ${wrong.process} on the server, or use another server for mail.`,
      },
    ),
  ];
}
