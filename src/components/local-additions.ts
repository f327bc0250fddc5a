/**
 * main.cf has no include directive, and naming a parameter twice makes every Postfix command complain. So the user's
 * settings replace ours of the same name, and what is new comes last.
 */

/** Parameters that keep the server from being an open relay; a local addition cannot change them. */
export const relayLocks: readonly string[] = [
  'smtpd_relay_restrictions',
  'smtpd_recipient_restrictions',
  'smtpd_relay_before_recipient_restrictions',
  'smtpd_sasl_auth_enable',
  'mynetworks',
  'mynetworks_style',
  'relay_domains',
  'milter_default_action',
];

interface Setting {
  name: string;
  /** The logical line as written, continuation lines included, without the final newline. */
  text: string;
}

/**
 * `ours` with the settings of `local` merged in (both in main.cf's syntax, postconf(5)). Locked names and lines that
 * are no settings are kept out, and named in a comment.
 */
export function mergeLocalMain(ours: string, local: string): string {
  const additions = new Map<string, string>();
  const ignored: string[] = [];
  for (const { name, text } of parseSettings(local)) {
    if (relayLocks.includes(name)) ignored.push(`${name} (a relay lock)`);
    else if (name === '')
      ignored.push(`a line that is no setting: ${text.replace(/[^\x20-\x7e]/g, '?').slice(0, 60)}`);
    else additions.set(name, text);
  }
  if (additions.size === 0 && ignored.length === 0) return ours;
  const kept = logicalLines(ours).flatMap((line) => {
    const name = settingName(line);
    return name !== undefined && additions.has(name) ? [`# ${name}: see the end`] : [line];
  });
  const tail = [
    '',
    '# ---- From /etc/smtp-setup/local/postfix-main.cf ----',
    ...ignored.map((what) => `# Left out: ${what}`),
    ...additions.values(),
  ];
  return `${[...kept, ...tail].join('\n')}\n`;
}

function parseSettings(text: string): Setting[] {
  return logicalLines(text)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => ({ name: settingName(line) ?? '', text: line }));
}

function settingName(line: string): string | undefined {
  return /^([A-Za-z0-9_]+)\s*=/.exec(line)?.[1];
}

// A line that begins with white space continues the one before it, even across comments (postconf(5)).
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let last = -1;
  for (const line of text.replace(/\n$/, '').split('\n')) {
    if (/^\s+\S/.test(line) && !/^\s*#/.test(line) && last >= 0) {
      lines[last] = `${lines[last]}\n${line}`;
    } else {
      lines.push(line);
      if (!/^\s*(#|$)/.test(line)) last = lines.length - 1;
    }
  }
  return lines;
}
