import type { SingleAddress, WebSiteState } from '../components/model.js';
import { canonicalIp } from '../lib/ip.js';
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
  /** Single addresses where somebody else's site listens: there nginx asks no site that only listens everywhere. */
  single: readonly SingleAddress[];
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
      ...readListens(lines),
      sites: lines.flatMap(readSite),
    };
  },
};

interface Listen {
  folder: SiteFolder;
  port: number;
  family: 4 | 6;
  /** Undefined: all of them. */
  address?: string;
  named: boolean;
}

/** nginx(5): a server without `listen` listens on 80; among those of one place without `default_server` the first is it. */
function readListens(lines: readonly string[]): Omit<WebState, 'ready' | 'sites'> {
  const listens: Listen[] = [];
  let silent: SiteFolder | undefined;
  const endServer = () => {
    if (silent !== undefined) listens.push({ folder: silent, port: 80, family: 4, named: false });
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
    const place = readPlace(where);
    if (place === undefined || flags.includes('quic')) continue;
    // What speaks otherwise than ours do there can share no place with them.
    if (place.address !== undefined && !speaksAsOurs(place.port, flags)) continue;
    const named = flags.includes('default_server') || flags.includes('default');
    listens.push({ folder, ...place, named });
  }
  endServer();
  const web = listens.filter(({ port }) => port === 80 || port === 443);
  const unnamed = web.filter(
    (one) => !web.some(({ port, address, named }) => named && port === one.port && address === one.address),
  );
  const found = web.filter(({ address }) => address === undefined);
  const single = web.flatMap(({ address, port, family }): SingleAddress[] => {
    if (address === undefined || (port !== 80 && port !== 443)) return [];
    const alone = !found.some((one) => one.port === port && one.family === family);
    return [{ address, port, alone }];
  });
  const before = unnamed.some(({ folder }) => folder === '/etc/nginx/sites-enabled')
    ? '/etc/nginx/sites-enabled'
    : unnamed[0]?.folder;
  return {
    foreignDefault: found.some(({ port }) => port === 80),
    foreignHttpsDefault: found.some(({ port }) => port === 443),
    ...(before === undefined ? {} : { before }),
    single: single
      .filter(
        (one, at) =>
          single.findIndex(({ address, port }) => address === one.address && port === one.port) === at,
      )
      .sort((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1)),
  };
}

/** Of what `listen` says: the port, and the address unless it is all of them. */
function readPlace(where: string): Pick<Listen, 'port' | 'family' | 'address'> | undefined {
  const match = /^(?:(\*|[\d.]{7,15}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?|(\d{1,5}))$/.exec(where);
  if (match === null) return undefined;
  const port = Number(match[2] ?? match[3] ?? 80);
  const address = match[1] ?? '*';
  const family = address.startsWith('[') ? 6 : 4;
  if (['*', '0.0.0.0', '[::]'].includes(address)) return { port, family };
  const canonical = canonicalIp(address.replace(/^\[|\]$/g, ''));
  if (canonical === undefined) return undefined;
  return { port, family, address: family === 6 ? `[${canonical}]` : canonical };
}

function speaksAsOurs(port: number, flags: readonly string[]): boolean {
  return !flags.includes('proxy_protocol') && flags.includes('ssl') === (port === 443);
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
