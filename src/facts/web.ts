import type { Probe } from './probe.js';

export interface WebState {
  /** The folder for ACME challenges is there and the distribution's welcome page is off. */
  ready: boolean;
  /** A site that is not ours answers for names that nobody claims. */
  foreignDefault: boolean;
}

/** nginx's sites, as far as ours has to fit in. */
export const web: Probe<WebState> = {
  script: `[ -d /var/www/smtp-setup/.well-known/acme-challenge ] && [ -d /etc/nginx ] &&
  ! { [ -L /etc/nginx/sites-enabled/default ] && stock=$(dpkg-query -W -f '\${Conffiles}\\n' nginx-common) &&
    printf '%s' "$stock" | grep -qF " /etc/nginx/sites-available/default $(md5sum /etc/nginx/sites-available/default | cut -d' ' -f1)"; } &&
  echo ready
for file in /etc/nginx/sites-enabled/* /etc/nginx/conf.d/*.conf; do
  case $file in */conf.d/smtp-setup.conf) continue ;; esac
  if [ "$file" = /etc/nginx/sites-enabled/default ] && dpkg-query -W -f '\${Conffiles}\\n' nginx-common |
    grep -qF " /etc/nginx/sites-available/default $(md5sum "$file" | cut -d' ' -f1)"; then continue; fi
  grep -Eqs '^[^#]*listen[^;#]*80[^;#]*default_server' "$file" && { echo foreign; break; }
done
true`,
  parse({ stdout }) {
    const lines = stdout.split('\n');
    return { ready: lines.includes('ready'), foreignDefault: lines.includes('foreign') };
  },
};
