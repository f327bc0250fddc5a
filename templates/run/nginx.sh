# nginx: the web root, checks of a staged set, proof of the running daemon.

# nginx_prepare: the folder for challenges; the distribution's welcome page goes, unless somebody changed it.
nginx_prepare() {
  local folder="$ROOT/var/www/smtp-setup/.well-known/acme-challenge" site="$ROOT/etc/nginx/sites-enabled/default"
  [ -d "$folder" ] || { (umask 022 && mkdir -p "$folder") && changed; } || { problem "$folder cannot be made"; return 1; }
  if nginx_stock_site "$site"; then
    before_keep /etc/nginx/sites-enabled/default || return
    rm -f "$site" && changed || return
  fi
}

# nginx_stock_site LINK: it is the package's link, to the package's file as it came.
nginx_stock_site() {
  local file="$ROOT/etc/nginx/sites-available/default" files
  [ -L "$1" ] && [ "$(readlink -f "$1")" = "$file" ] || return 1
  # Another step may install packages: dpkg then takes files away that dpkg-query was about to read.
  files=$(within 10 dpkg-query -W -f '${Conffiles}\n' nginx-common 2>/dev/null)
  printf '%s\n' "$files" | grep -qF " /etc/nginx/sites-available/default $(md5sum "$file" | cut -d' ' -f1)"
}

# nginx_validate: the staged files in a configuration of its own; the whole is checked by nginx before it reloads.
nginx_validate() {
  local main="$STAGE/.nginx.conf" said
  printf 'pid %s/.nginx.pid;\nerror_log stderr;\nevents {}\nhttp { access_log off; include %s/etc/nginx/*/*smtp-setup*.conf; }\n' \
    "$STAGE" "$STAGE" >"$main"
  said=$(nginx -t -q -c "$main" 2>&1) && return 0
  problem "nginx: $(short_text "$said")"
  return 1
}

# nginx_probe_acme HOSTNAME: a challenge's file is served for the name, and nothing else is. Old workers answer for a
# moment after a reload.
nginx_probe_acme() {
  local folder="$ROOT/var/www/smtp-setup/.well-known/acme-challenge" token=probe-$$ said='' code=0
  (umask 022 && printf 'smtp-setup %s\n' "$token" >"$folder/$token") || { problem "$folder cannot be written"; return 1; }
  within 60 nginx_is_seen "$1" "$token" || code=1
  rm -f "$folder/$token"
  [ "$code" = 0 ] && return 0
  problem "nginx does not serve challenges for $1: $(short_text "${said:-no answer}")"
  return 1
}

nginx_is_seen() {
  said=$(nginx_serves_challenges "$@")
}

nginx_serves_challenges() {
  local said
  said=$(http_get "$1" "/.well-known/acme-challenge/$2")
  case $said in
    'HTTP/1.1 200 '*"smtp-setup $2"*) ;;
    *) printf '%s' "$said"; return 1 ;;
  esac
  said=$(http_get "$1" /)
  case $said in
    'HTTP/1.1 404 '*) ;;
    *) printf '%s' "$said"; return 1 ;;
  esac
}

# http_get HOST PATH: the answer of 127.0.0.1:80, at most 4 KiB.
http_get() {
  perl -MSocket=:all -e '
    $SIG{ALRM} = sub { exit 1 }; alarm 15;
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or exit 1;
    connect($socket, pack_sockaddr_in(80, INADDR_LOOPBACK)) or exit 1;
    syswrite($socket, "GET $ARGV[1] HTTP/1.1\r\nHost: $ARGV[0]\r\nConnection: close\r\n\r\n");
    my $text = "";
    while (length $text < 4096) { sysread($socket, $text, 4096, length $text) or last }
    print $text' "$1" "$2"
}
