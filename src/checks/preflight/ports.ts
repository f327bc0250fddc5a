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
  // Something let us in: nothing at all was not seen, but not read.
  if (facts.listeners.length === 0) {
    const message = 'Who listens on them could not be found out.';
    return [finding('SRV-PORTS', 'unknown', 'Ports', context.ports.join(', '), message)];
  }
  // Where we were before, what the kernel does not name is taken for ours.
  const ours = facts.state.manifest !== 'absent';
  const taken = context.ports.flatMap((port) => {
    const wrong = facts.listeners.find(
      (one) => one.protocol === 'tcp' && one.port === port && !isWelcome(one, welcome[port] ?? [], ours),
    );
    return wrong ? [describeTaken(wrong)] : [];
  });
  const resolver = checkResolverPort(facts.listeners, ours);
  if (taken.length + resolver.length > 0) return [...taken, ...resolver];
  return [finding('SRV-PORTS', 'pass', 'Ports', context.ports.join(', '), 'free, or in our own hands')];
}

function isWelcome({ process }: Listener, names: readonly string[], ours: boolean): boolean {
  return process === undefined ? ours : names.includes(process);
}

function describeTaken(listener: Listener): Finding {
  const { port, process, pid, address } = listener;
  if (process === undefined) return describeUnnamed(listener, `port ${port} free`);
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

function describeUnnamed({ protocol, port, address }: Listener, expected: string): Finding {
  return finding(
    'SRV-PORT-TAKEN',
    'fail',
    'Port taken',
    `${protocol.toUpperCase()} port ${port}`,
    `A process that could not be named listens on port ${port}.`,
    {
      expected,
      observed: `a listener on ${address}`,
      fix: 'Find it on the server with ss -lntup (apt-get install iproute2, where there is no ss); what ss cannot name either is in a container. Stop it, or use another server for mail.',
    },
  );
}

/** Our own resolver needs 127.0.0.1:53; systemd-resolved's stub on 127.0.0.53 is not in its way. */
function checkResolverPort(listeners: readonly Listener[], ours: boolean): Finding[] {
  const wrong = listeners.find(
    (one) =>
      one.port === 53 &&
      ['127.0.0.1', '0.0.0.0', '*', '::'].includes(one.address) &&
      !isWelcome(one, ['unbound'], ours),
  );
  if (!wrong) return [];
  if (wrong.process === undefined)
    return [describeUnnamed(wrong, '127.0.0.1 port 53 free for the local resolver')];
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
