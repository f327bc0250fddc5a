import type { WebSiteState } from '../components/model.js';
import type { Probe } from './probe.js';
import { readLines } from './text.js';

type SiteFolder = '/etc/nginx/conf.d' | '/etc/nginx/sites-enabled';

export interface WebState {
  /** The folder for ACME challenges is there and the distribution's welcome page is off. */
  ready: boolean;
  /** A site that is not ours answers for names that nobody claims. */
  foreignDefault: boolean;
  /** The same over HTTPS. */
  foreignHttpsDefault: boolean;
  /** Folder of sites that do so only because nginx reads them first, not by `default_server`. */
  before?: SiteFolder;
  /** Domains with a place for what is served over HTTPS, and the certificate there. */
  sites: readonly WebSiteState[];
}

/** nginx's sites, as far as ours have to fit in, and what ours have. */
export const web: Probe<WebState> = {
  script: `[ -d /var/www/smtp-setup/.well-known/acme-challenge ] && [ -d /etc/nginx ] &&
  ! { [ -L /etc/nginx/sites-enabled/default ] && stock=$(dpkg-query -W -f '\${Conffiles}\\n' nginx-common) &&
    printf '%s' "$stock" | grep -qF " /etc/nginx/sites-available/default $(md5sum /etc/nginx/sites-available/default | cut -d' ' -f1)"; } &&
  echo ready
grep -Eqs '^[^#]*include[^#]*sites-enabled' /etc/nginx/nginx.conf && enabled=/etc/nginx/sites-enabled
for file in /etc/nginx/conf.d/*.conf "\${enabled:-/nonexistent}"/*; do
  case $file in */smtp-setup*.conf | */zz-smtp-setup*.conf) continue ;; esac
  if [ "$file" = /etc/nginx/sites-enabled/default ] && dpkg-query -W -f '\${Conffiles}\\n' nginx-common |
    grep -qF " /etc/nginx/sites-available/default $(md5sum "$file" | cut -d' ' -f1)"; then continue; fi
  [ -f "$file" ] && sed 's/#.*//' "$file" | tr '\\n\\t\\r;{}' '   \\n\\n\\n' |
    sed -n "s,^ *listen  *,listen \${file%/*} ,p; s,^ *server *\\$,server \${file%/*},p"
done
for link in /etc/smtp-setup/web/*/tls; do
  [ -L "$link" ] || continue
  domain=\${link%/tls} domain=\${domain##*/} state=none
  [ -e "$link/fullchain.pem" ] && case $(readlink "$link") in issued-*) state=issued ;; *) state=stand-in ;; esac
  printf 'site %s %s %s %s\\n' "$domain" "$state" \\
    "$(openssl x509 -in "$link/fullchain.pem" -noout -ext subjectAltName | tr ',' '\\n' | sed -n 's/^ *DNS://p' | tr '\\n' ,)" \\
    "$(sed -n 's/^server = //p' "/etc/letsencrypt/renewal/smtp-setup-web-$domain.conf" | head -n 1)"
done
true`,
  parse({ stdout }) {
    const lines = readLines(stdout);
    return {
      ready: lines.includes('ready'),
      ...readDefaults(lines),
      sites: lines.flatMap(readSite),
    };
  },
};

/** nginx(5): a server without `listen` listens on 80; among those of one port without `default_server` the first is it. */
function readDefaults(
  lines: readonly string[],
): Pick<WebState, 'foreignDefault' | 'foreignHttpsDefault' | 'before'> {
  const found: { folder: SiteFolder; port: number; named: boolean }[] = [];
  let silent: SiteFolder | undefined;
  const endServer = () => {
    if (silent !== undefined) found.push({ folder: silent, port: 80, named: false });
    silent = undefined;
  };
  for (const line of lines) {
    const match = /^(server|listen) (\/etc\/nginx\/(?:conf\.d|sites-enabled)) ?(.*)$/.exec(line);
    if (match === null) continue;
    const folder = match[2] as SiteFolder;
    if (match[1] === 'server') {
      endServer();
      silent = folder;
      continue;
    }
    silent = undefined;
    const [where = '', ...flags] = (match[3] ?? '').trim().split(/\s+/);
    const port = wildcardPort(where);
    if (port === undefined || flags.includes('quic')) continue;
    found.push({ folder, port, named: flags.includes('default_server') || flags.includes('default') });
  }
  endServer();
  const unnamed = [80, 443].flatMap((port) => {
    const there = found.filter((one) => one.port === port);
    return there.some(({ named }) => named) ? [] : there;
  });
  const before = unnamed.some(({ folder }) => folder === '/etc/nginx/sites-enabled')
    ? '/etc/nginx/sites-enabled'
    : unnamed[0]?.folder;
  return {
    foreignDefault: found.some(({ port }) => port === 80),
    foreignHttpsDefault: found.some(({ port }) => port === 443),
    ...(before === undefined ? {} : { before }),
  };
}

/** Of what `listen` says: the port, unless it is one address's alone, which takes nothing from the others. */
function wildcardPort(where: string): number | undefined {
  const match = /^(?:(?:\*|0\.0\.0\.0|\[::\]):)?(\d{1,5})$/.exec(where);
  if (match !== null) return Number(match[1]);
  return /^(?:\*|0\.0\.0\.0|\[::\])$/.test(where) ? 80 : undefined;
}

function readSite(line: string): WebSiteState[] {
  const match = /^site ([a-z0-9.-]+) (none|stand-in|issued) ([A-Za-z0-9.*,-]*) ?(\S*)$/.exec(line);
  if (match === null) return [];
  const [, domain = '', state = 'none', names = '', directory = ''] = match;
  return [
    {
      domain,
      certificate: state === 'issued' || state === 'stand-in' ? state : 'none',
      names: names
        .split(',')
        .filter((name) => name !== '')
        .map((name) => name.toLowerCase())
        .sort(),
      ...(URL.canParse(directory) ? { directory } : {}),
    },
  ];
}
