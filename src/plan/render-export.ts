import { shellQuote } from '../lib/shell-quote.js';
import type { CompiledRun } from './compile-runs.js';

/** Where a server that boots finds what it shares with others: private DKIM keys, logins of relays; never these themselves. */
export type SecretSource = { kind: 'none' } | { kind: 'file' | 'command'; source: string };

export interface ExportInput {
  hostname: string;
  /** The release that the files are for: `debian` `12`. */
  os: { id: string; version: string };
  runs: readonly CompiledRun[];
  /** What is sent for a key, and what its record shows of it once it is known. */
  keys: readonly { domain: string; selector: string }[];
  keySource: SecretSource;
  /** The relays that mail leaves through. */
  logins: readonly { name: string; host: string }[];
  loginSource: SecretSource;
  /** Texts of templates/export/ and the starter of runs: `boot.sh`, `ask.pl`, `start.sh`. */
  texts: ReadonlyMap<string, string>;
  /** The script ends when the installation has, and with its result; a first boot must not be held up. */
  wait: boolean;
}

const units = {
  'smtp-setup-export.service': `[Unit]
Description=What smtp-setup exported for this server
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=/bin/sh /var/lib/smtp-setup/export/boot.sh
`,
  'smtp-setup-export.timer': `[Unit]
Description=What smtp-setup exported for this server, until it is done

[Timer]
OnActiveSec=1s
OnUnitInactiveSec=15s
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
} as const;

/** Stands in the compiled runs where their ids go: those hold the time at which they begin. */
export const exportedId = (run: string): string => `EXPORTED-${run}`;

/** One POSIX script that makes a fresh server what the runs say, without anybody logged in. Pure. */
export function renderExport(input: ExportInput): string {
  const { hostname, os, runs, keys, keySource, logins, loginSource, texts, wait } = input;
  const settings = [
    `HOST=${shellQuote(hostname)}`,
    ...renderSource('KEY', keySource),
    ...renderSource('LOGIN', loginSource),
    '',
  ].join('\n');
  const [first] = runs;
  const library = (first?.files ?? []).filter(({ path }) => path.startsWith('lib/'));
  const files = [
    ...[...texts].map(([path, content]) => ({ path, content })),
    { path: 'settings', content: settings },
    { path: 'keys', content: keys.map(({ domain, selector }) => `${domain} ${selector}\n`).join('') },
    { path: 'logins', content: logins.map(({ name, host }) => `${name} ${host}\n`).join('') },
    ...library,
    ...runs.flatMap(({ name, files: own, installs }) => [
      { path: `${name}.installs`, content: `${installs ? 1 : 0}\n` },
      ...own
        .filter(({ path }) => !path.startsWith('lib/'))
        .map((file) => ({ ...file, path: `${name}/${file.path}` })),
    ]),
  ];
  return [
    '#!/bin/sh',
    `# Makes a fresh ${os.id} ${os.version} the mail server ${hostname}. Exported by smtp-setup; holds no secrets.`,
    'set -eu',
    'umask 077',
    `[ "$(id -u)" = 0 ] || { echo 'this needs root' >&2; exit 1; }`,
    '. /etc/os-release',
    `[ "$ID $VERSION_ID" = ${shellQuote(`${os.id} ${os.version}`)} ] || {`,
    `  echo "this was exported for ${os.id} ${os.version}, and this is $ID $VERSION_ID; nothing was changed" >&2`,
    '  exit 5',
    '}',
    'state=/var/lib/smtp-setup',
    'base=$state/export',
    // Run again by Ansible or at each boot: what is made already is not begun anew.
    'if [ -e "$state/manifest.json" ] || [ -e "$base" ]; then',
    `  echo 'smtp-setup is at work on this server, or was; nothing was changed'`,
    '  exit 0',
    'fi',
    'mkdir -p "$base.new"',
    'put() {',
    '  mkdir -p "$base.new/$(dirname "$1")"',
    '  cat >"$base.new/$1"',
    '  chmod "$2" "$base.new/$1"',
    '}',
    ...files.map((file, index) => renderFile(file, `SMTP_SETUP_${index}`)),
    'mv -T "$base.new" "$base"',
    ...Object.entries(units).map(
      ([name, text]) => `cat >/etc/systemd/system/${name} <<'SMTP_SETUP_UNIT'\n${text}SMTP_SETUP_UNIT`,
    ),
    'chmod 0644 /etc/systemd/system/smtp-setup-export.*',
    'systemctl daemon-reload',
    'systemctl enable --quiet smtp-setup-export.timer',
    'systemctl start --no-block smtp-setup-export.timer',
    ...(wait ? waiting : []),
    '',
  ].join('\n');
}

function renderSource(what: string, from: SecretSource): string[] {
  return [
    `${what}_KIND=${from.kind}`,
    `${what}_SOURCE=${shellQuote(from.kind === 'none' ? '' : from.source)}`,
  ];
}

const waiting = [
  'while [ -e "$base" ] && [ ! -e "$base/done-install" ]; do',
  '  if [ -e "$base/failed" ]; then cat "$base/failed" >&2; exit 1; fi',
  '  sleep 1',
  'done',
  `echo 'installed; signing and the certificate follow by themselves: systemctl status smtp-setup-export'`,
];

interface ExportedFile {
  path: string;
  mode?: number;
  content?: string | Uint8Array;
}

function renderFile({ path, mode = 0o600, content = '' }: ExportedFile, end: string): string {
  const text = typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
  if ((text !== '' && !text.endsWith('\n')) || text.includes(end) || text.includes('\0'))
    throw new Error(`${path} cannot be a here-document`);
  return `put ${shellQuote(path)} ${mode.toString(8).padStart(4, '0')} <<'${end}'\n${text}${end}`;
}

/** The first of two stages: fetches the other one, and runs it when it is exactly that. Pure. */
export function renderFirstStage(hostname: string, url: string, sha256: string): string {
  return [
    '#!/bin/sh',
    `# First stage of the mail server ${hostname}: fetches what does not fit in here, and checks it. Exported by smtp-setup.`,
    'set -u',
    'umask 077',
    `url=${shellQuote(url)} sum=${sha256}`,
    'file=/run/smtp-setup-stage-2',
    'bring() {',
    '  if command -v curl >/dev/null; then curl -fsSL --max-time 60 -o "$file" "$url"',
    '  elif command -v wget >/dev/null; then wget -q -T 60 -O "$file" "$url"',
    `  else python3 -c 'import shutil, sys, urllib.request as u; shutil.copyfileobj(u.urlopen(sys.argv[1], timeout=60), open(sys.argv[2], "wb"))' "$url" "$file"`,
    '  fi',
    '}',
    'for try in 1 2 3 4 5 6 7 8 9 10; do',
    '  if bring && echo "$sum  $file" | sha256sum -c --status; then',
    '    gunzip -c <"$file" >"$file.sh" && sh "$file.sh"',
    '    code=$?',
    '    rm -f "$file" "$file.sh"',
    '    exit "$code"',
    '  fi',
    '  echo "stage 2 is not there yet, or not what was exported (try $try)" >&2',
    '  sleep 10',
    'done',
    'rm -f "$file"',
    'exit 1',
    '',
  ].join('\n');
}
