import { sanitizeLine } from '../../lib/sanitize.js';
import type { MailEvent } from '../../logs/event.js';
import { explainAnswer } from '../../logs/explain.js';
import type { RelayPreset, RelayTombstone } from '../../relay/preset.js';
import type { ConfiguredRelay } from '../../relay/relays-of.js';
import { alignColumns, wrapText } from '../text.js';

/** All providers, one a line; below them the names that lead nowhere any more. */
export function renderRelayList(
  presets: readonly RelayPreset[],
  tombstones: readonly RelayTombstone[],
): string {
  const rows = presets.map(({ id, title, ports: [{ port, tls }], login, spf }) => [
    id,
    title,
    `${port} ${tls}`,
    login.fixedUser === undefined ? '' : `user ${login.fixedUser}`,
    spf.include === undefined ? 'no SPF entry' : `include:${spf.include}`,
  ]);
  return [
    ...alignColumns(rows),
    '',
    'custom  any other host: --host NAME [--port N] [--tls starttls|wrapper] [--spf-include DOMAIN]',
    ...tombstones.flatMap(({ id, what, successors }) =>
      wrapText(`${id}: ${what} Take ${successors.join(', ')}.`, 100),
    ),
    '',
    'All about one: smtp-setup relay list PROVIDER',
  ].join('\n');
}

/** Everything that is known of one provider. */
export function renderRelayPreset(preset: RelayPreset): string {
  const { regions, ports, login, spf, dkim, source, notes = [] } = preset;
  const facts: [string, string][] = [
    ['host', preset.host],
    ...(regions === undefined
      ? []
      : [
          [
            'region',
            `${Object.keys(regions.parts).join(', ')}${regions.default === undefined ? ' (must be given)' : ` (default ${regions.default})`}`,
          ] as [string, string],
        ]),
    ['ports', ports.map(({ port, tls }) => `${port} ${tls}`).join(', ')],
    ['user', login.user],
    ['password', login.password],
    ['login', login.mechanisms.join(', ')],
    ['SPF', `${spf.include === undefined ? 'no entry' : `include:${spf.include}`}. ${spf.why}`],
    ['DKIM', `${signatures[dkim.ours]} ${dkim.advice}`],
    ['limits', preset.limits],
    ...notes.map((note) => ['note', note] as [string, string]),
    ['source', `${source.url} (read ${source.read})`],
    ...(source.unconfirmed === undefined
      ? []
      : [['unconfirmed', source.unconfirmed.join('; ')] as [string, string]]),
  ];
  const lines = facts.flatMap(([name, text]) => {
    const [first = '', ...more] = wrapText(text, 86);
    return [`  ${name.padEnd(12)}${first}`, ...more.map((line) => `  ${''.padEnd(12)}${line}`)];
  });
  return [`${preset.title} (${[preset.id, ...(preset.aliases ?? [])].join(', ')})`, ...lines].join('\n');
}

const signatures = {
  kept: 'Our signature arrives whole.',
  broken: 'Our signature does not arrive whole.',
  unknown: 'Whether our signature arrives whole is not documented.',
} as const;

/** What the mail of a server goes through. */
export function renderRelays(hostname: string, relays: readonly ConfiguredRelay[]): string {
  if (relays.length === 0) return `${hostname} sends to the receivers directly.`;
  const rows = relays.map(({ domain, relay: { title, host, port, tls, spfInclude } }) => [
    domain === undefined ? 'all other mail' : `mail from ${domain}`,
    title,
    `${host}:${port} ${tls}`,
    spfInclude === undefined ? 'no SPF entry' : `include:${spfInclude}`,
  ]);
  const rest = relays.some(({ domain }) => domain === undefined)
    ? []
    : ['All other mail goes to the receivers directly.'];
  return [...alignColumns(rows), ...rest].join('\n');
}

export function relayDocument({ name, domain, relay }: ConfiguredRelay): Record<string, unknown> {
  const { provider, host, port, tls, spfInclude } = relay;
  return {
    name,
    ...(domain === undefined ? {} : { domain }),
    provider,
    host,
    port,
    tls,
    ...(spfInclude === undefined ? {} : { spfInclude }),
  };
}

const stageTitles = { connect: 'Reached', tls: 'TLS', login: 'Login' } as const;

const stageFixes = {
  connect:
    'See that the network lets the port through; other ports of the provider: smtp-setup relay list PROVIDER',
  tls: 'Check host name and port; the certificate must be valid for the name.',
  login:
    'Give the login anew: smtp-setup relay set PROVIDER. Mail waits in the queue meanwhile; none is lost.',
} as const;

interface Stage {
  stage: keyof typeof stageTitles;
  ok: boolean;
  detail: string;
}

/** How far a login at the relay came, and what became of a mail. */
export function renderRelayTest(
  { relay: { title, host, port } }: ConfiguredRelay,
  stages: readonly Stage[],
  to?: string,
  mail?: Extract<MailEvent, { kind: 'delivery' }>,
): string {
  const lines = [`${title}, ${host}:${port}`];
  if (stages.length === 0) lines.push('  The server could not try it: openssl or perl does not run there.');
  for (const { stage, ok, detail } of stages) {
    lines.push(`  ${ok ? 'ok    ' : 'failed'}  ${stageTitles[stage]}: ${detail}`);
    if (!ok) lines.push(`          ${stageFixes[stage]}`);
  }
  if (to === undefined || stages.some(({ ok }) => !ok)) return lines.join('\n');
  if (mail === undefined) {
    lines.push(`  waits   Mail to ${to}: the log says nothing yet. smtp-setup queue list shows it.`);
    return lines.join('\n');
  }
  const word = mail.status === 'sent' ? 'ok    ' : mail.status === 'deferred' ? 'waits ' : 'failed';
  lines.push(`  ${word}  Mail to ${to}: ${sanitizeLine(`${mail.relay}: ${mail.answer}`, 300)}`);
  const explained = mail.status === 'sent' ? undefined : explainAnswer(mail.answer);
  if (explained !== undefined) lines.push(`          ${explained.title}: ${explained.todo.join(' ')}`);
  return lines.join('\n');
}
