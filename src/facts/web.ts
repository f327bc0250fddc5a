import type { WebSiteState } from '../components/model.js';
import type { Probe } from './probe.js';
import { readLines } from './text.js';

export interface WebState {
  /** The folder for ACME challenges is there and the distribution's welcome page is off. */
  ready: boolean;
  /** A site that is not ours answers for names that nobody claims. */
  foreignDefault: boolean;
  /** The same over HTTPS. */
  foreignHttpsDefault: boolean;
  /** Domains with a place for what is served over HTTPS, and the certificate there. */
  sites: readonly WebSiteState[];
}

/** nginx's sites, as far as ours have to fit in, and what ours have. */
export const web: Probe<WebState> = {
  script: `[ -d /var/www/smtp-setup/.well-known/acme-challenge ] && [ -d /etc/nginx ] &&
  ! { [ -L /etc/nginx/sites-enabled/default ] && stock=$(dpkg-query -W -f '\${Conffiles}\\n' nginx-common) &&
    printf '%s' "$stock" | grep -qF " /etc/nginx/sites-available/default $(md5sum /etc/nginx/sites-available/default | cut -d' ' -f1)"; } &&
  echo ready
for file in /etc/nginx/sites-enabled/* /etc/nginx/conf.d/*.conf; do
  case $file in */conf.d/smtp-setup*.conf) continue ;; esac
  if [ "$file" = /etc/nginx/sites-enabled/default ] && dpkg-query -W -f '\${Conffiles}\\n' nginx-common |
    grep -qF " /etc/nginx/sites-available/default $(md5sum "$file" | cut -d' ' -f1)"; then continue; fi
  grep -Eqs '^[^#]*listen[^;#]*80[^;#]*default_server' "$file" && echo foreign
  grep -Eqs '^[^#]*listen[^;#]*443[^;#]*default_server' "$file" && echo foreign-https
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
      foreignDefault: lines.includes('foreign'),
      foreignHttpsDefault: lines.includes('foreign-https'),
      sites: lines.flatMap(readSite),
    };
  },
};

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
