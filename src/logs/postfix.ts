import type { DeliveryStatus, MailEvent } from './event.js';

// Queue ids: short (hexadecimal) or long (letters without vowels, and digits), postconf(5) enable_long_queue_ids.
// `warning: …` and the like have the same form.
const withId = /^(?!warning:|error:|fatal:|panic:|statistics:)([0-9A-Za-z]{5,25}|NOQUEUE): (.*)$/s;
const delivery =
  /^to=<(.*?)>,(?: orig_to=<(.*?)>,)? relay=(.*?),(?: conn_use=\d+,)? delay=([\d.]+),(?: delays=[\d./-]+,)? dsn=(\d\.\d{1,3}\.\d{1,3}), status=(\w+)(?: \((.*)\))?$/s;
const refused =
  /^(?:milter-)?(?:reject|hold|discard)(?:_warning)?: ([\w-]+)(?: command)? from (\S+): (.*?)(?:; |$)(?:from=<(.*?)> ?)?(?:to=<(.*?)> ?)?(?:proto=(?:\S+ helo=<([^>]*)>)?.*)?$/s;

/** Reads what a Postfix daemon logged (Postfix 3.5 to 3.10). `program` is the syslog identifier. */
export function readPostfix(program: string, text: string): MailEvent | undefined {
  const agent = program.slice(program.lastIndexOf('/') + 1);
  const service = program.slice(program.indexOf('/') + 1);
  const match = withId.exec(text);
  if (match === null) return agent === 'smtpd' ? readLoginFailure(service, text) : undefined;
  const [, id = '', rest = ''] = match;
  switch (agent) {
    case 'smtpd':
      return readSmtpd(service, id, rest);
    case 'pickup':
      return rest.startsWith('uid=') ? { kind: 'received', id, service } : undefined;
    case 'cleanup':
      return readCleanup(service, id, rest);
    case 'qmgr':
      return readQmgr(id, rest);
    case 'bounce':
      return readBounce(id, rest);
    default:
      return readDelivery(agent, id, rest);
  }
}

function readSmtpd(service: string, id: string, rest: string): MailEvent | undefined {
  if (rest.startsWith('client=')) {
    const client = /^client=([^\s,]+)/.exec(rest)?.[1];
    // Last in the line: what a client sends cannot stand before it.
    const login = /, sasl_username=([^\s,]+)/.exec(rest)?.[1];
    if (id === 'NOQUEUE' || client === undefined) return undefined;
    return { kind: 'received', id, service, client, ...(login === undefined ? {} : { login }) };
  }
  return readRefusal(service, id, rest);
}

function readCleanup(service: string, id: string, rest: string): MailEvent | undefined {
  // Since Postfix 3.10 also for what a milter refused or a client broke off: `removed (canceled)`.
  if (rest.startsWith('removed')) return { kind: 'removed', id };
  const messageId = /^(?:resent-)?message-id=<?(.*?)>?$/.exec(rest)?.[1];
  if (messageId !== undefined) return { kind: 'message-id', id, messageId };
  return readRefusal(service, id, rest);
}

function readRefusal(service: string, id: string, rest: string): MailEvent | undefined {
  if (!/^(?:milter-)?(?:reject|hold|discard)/.test(rest)) return undefined;
  const match = refused.exec(rest);
  if (match === null) return undefined;
  const [, stage = '', client = '', answer = '', from, to, helo] = match;
  return {
    kind: 'rejected',
    ...(id === 'NOQUEUE' ? {} : { id }),
    service,
    client,
    stage,
    answer,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(helo === undefined ? {} : { helo }),
  };
}

function readQmgr(id: string, rest: string): MailEvent | undefined {
  if (rest === 'removed') return { kind: 'removed', id };
  const match = /^from=<(.*?)>, size=(\d+), nrcpt=(\d+) /.exec(rest);
  if (match === null) return undefined;
  return {
    kind: 'queued',
    id,
    from: match[1] ?? '',
    size: Number(match[2]),
    recipients: Number(match[3]),
  };
}

function readBounce(id: string, rest: string): MailEvent | undefined {
  const match = /^sender (non-delivery|delivery status|delay) notification: (\S+)$/.exec(rest);
  if (match?.[2] === undefined) return undefined;
  const type = match[1] === 'non-delivery' ? 'bounce' : match[1] === 'delay' ? 'delay' : 'report';
  return { kind: 'returned', id, notice: match[2], type };
}

const statuses: Readonly<Record<string, DeliveryStatus>> = {
  sent: 'sent',
  deliverable: 'sent',
  deferred: 'deferred',
  bounced: 'bounced',
  undeliverable: 'bounced',
  expired: 'expired',
};

function readDelivery(agent: string, id: string, rest: string): MailEvent | undefined {
  if (!rest.startsWith('to=<')) return undefined;
  const match = delivery.exec(rest);
  if (match === null) return undefined;
  const [, to = '', originalTo, relay = '', delay = '', dsn = '', word = '', answer = ''] = match;
  const status = statuses[word];
  if (status === undefined) return undefined;
  return {
    kind: 'delivery',
    id,
    agent,
    to,
    ...(originalTo === undefined ? {} : { originalTo }),
    relay,
    delay: Number(delay),
    dsn,
    status,
    answer,
  };
}

function readLoginFailure(service: string, text: string): MailEvent | undefined {
  const match = /^warning: (\S+): SASL \S+ authentication failed:(?:.*?, sasl_username=(\S+))?/s.exec(text);
  if (match?.[1] === undefined) return undefined;
  return { kind: 'login-failed', service, client: match[1], ...(match[2] ? { login: match[2] } : {}) };
}
