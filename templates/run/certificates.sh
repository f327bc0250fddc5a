# Certificates: a self-signed one to start with, then the authority's. /etc/smtp-setup/tls is a symbolic link to the set in
# use, so that key and chain change together.

# certificates_validate: the hook in $STAGE is a shell script that parses.
certificates_validate() {
  local hook="$STAGE/etc/letsencrypt/renewal-hooks/deploy/smtp-setup"
  [ ! -e "$hook" ] || sh -n "$hook"
}

# certificates_self_signed HOSTNAME
certificates_self_signed() {
  local store="$ROOT/etc/smtp-setup/certs" new
  [ -e "$ROOT/etc/smtp-setup/tls/fullchain.pem" ] && return 0
  progress "Making a self-signed certificate for $1"
  changed
  new=$store/self-signed
  rm -rf "$new" "$new.new"
  # Open from the start: daemons that start beside this read what lies in it.
  (umask 022 && mkdir -p "$ROOT/etc/smtp-setup") && mkdir -p "$new.new" || return
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=$1" \
    -addext "subjectAltName=DNS:$1" -keyout "$new.new/privkey.pem" -out "$new.new/fullchain.pem" 2>/dev/null ||
    { problem 'openssl could not make a certificate'; return 1; }
  chmod 0600 "$new.new/privkey.pem" && chmod 0644 "$new.new/fullchain.pem" &&
    mv -T "$new.new" "$new" && ln -sfn certs/self-signed "$ROOT/etc/smtp-setup/tls.new" &&
    mv -fT "$ROOT/etc/smtp-setup/tls.new" "$ROOT/etc/smtp-setup/tls"
}

# certificates_next_key: kept here until the key in use has to be changed; its digest is in the DNS long before (RFC 7671
# section 8.1).
certificates_next_key() {
  local folder="$ROOT/etc/smtp-setup/keys"
  [ -s "$folder/next.pem" ] && return 0
  changed
  mkdir -p "$folder" && chmod 0700 "$folder" &&
    (umask 077 && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$folder/next.pem.new" 2>/dev/null) ||
    { problem 'openssl could not make a key'; return 1; }
  durable "$folder/next.pem.new" "$folder/next.pem"
}

# certificates_issue HOSTNAME DIRECTORY EMAIL: '' is Let's Encrypt, '' no contact. It is a run of its own: when it fails, the
# services are up with the certificate they had, and the next apply asks again.
certificates_issue() {
  local lineage="/etc/letsencrypt/live/$1" said code
  port_answers 127.0.0.1 80 '' 20 && nginx_probe_acme "$1" || return
  # An authority's certificate that is still good is used, not asked for anew: there are 5 identical ones a week.
  if ! certificates_good "$lineage/fullchain.pem" "$1" || ! certificates_from "$1" "$2"; then
    progress "Asking the certificate authority"
    changed
    set -- "$1" "$2" "$3" certonly --non-interactive --agree-tos --webroot --webroot-path /var/www/smtp-setup \
      --cert-name "$1" --domain "$1" --key-type ecdsa --elliptic-curve secp256r1 --reuse-key --keep-until-expiring
    [ -z "$2" ] || set -- "$@" --server "$2"
    if [ -n "$3" ]; then set -- "$@" --email "$3"; else set -- "$@" --register-unsafely-without-email; fi
    said=$(shift 3 && certificates_certbot "$@" 2>&1) || {
      code=$?
      printf '%s\n' "$said"
      problem "no certificate for $1: $(certificates_reason "$said")"
      return "$code"
    }
  fi
  [ "$(readlink /etc/smtp-setup/tls)" = "certs/issued-$(certificates_print "$lineage/fullchain.pem")" ] && return 0
  progress 'Handing the certificate to the daemons'
  changed
  # certbot runs folder hooks on renewal only (before 5.3), so once by hand.
  said=$(RENEWED_LINEAGE=$lineage /etc/letsencrypt/renewal-hooks/deploy/smtp-setup 2>&1) ||
    { problem "the certificate is there, but: $(short_text "$said")"; return 1; }
}

# certificates_certbot ARGUMENT…: one certbot runs at a time, and its timer may have begun another. 130 when it was told
# to stop while it waited for that.
certificates_certbot() {
  local said waited=0
  while ! said=$(certificates_run_certbot "$@" 2>&1); do
    case $said in *'Another instance of Certbot is already running'*) ;; *) waited=$LOCK_PATIENCE ;; esac
    if [ "$waited" -ge "$LOCK_PATIENCE" ]; then
      printf '%s\n' "$said"
      return 1
    fi
    ! stopping || { printf '%s\n' 'stopped while waiting for another certbot, as asked'; return 130; }
    [ "$waited" != 0 ] || progress 'Waiting for another certbot, a renewal maybe'
    sleep 5
    waited=$((waited + 5))
  done
  printf '%s\n' "$said"
}

certificates_run_certbot() {
  if [ -e /etc/smtp-setup/acme-ca.pem ]; then
    REQUESTS_CA_BUNDLE=/etc/smtp-setup/acme-ca.pem certbot "$@" </dev/null
  else
    certbot "$@" </dev/null
  fi
}

certificates_good() {
  [ -e "$1" ] && openssl x509 -in "$1" -noout -checkend 2592000 >/dev/null 2>&1 &&
    openssl x509 -in "$1" -noout -checkhost "$2" 2>/dev/null | grep -q 'does match'
}

# certificates_from HOSTNAME DIRECTORY: the lineage comes from the directory that is wanted now (never a left-over test).
certificates_from() {
  grep -qxF "server = ${2:-https://acme-v02.api.letsencrypt.org/directory}" "/etc/letsencrypt/renewal/$1.conf" 2>/dev/null
}

certificates_print() {
  openssl x509 -in "$1" -noout -fingerprint -sha256 2>/dev/null | sed 's/.*=//; s/://g' | cut -c1-16
}

# The line of certbot's long answer that says why.
certificates_reason() {
  local why
  why=$(printf '%s\n' "$1" | grep -i '^ *Detail:\|urn:ietf:params:acme\|too many\|unable to\|error' | head -n 2)
  short_text "${why:-$(printf '%s\n' "$1" | tail -n 3)}"
}

# certificates_leave: our lineages are put aside; nobody renews them any more.
certificates_leave() {
  local store="$ROOT/etc/letsencrypt" kept="$STATE/kept/$RUN_ID/etc/letsencrypt" conf name path
  for conf in "$store"/renewal/*.conf; do
    grep -qs /var/www/smtp-setup "$conf" || continue
    name=${conf##*/}
    name=${name%.conf}
    changed
    for path in "live/$name" "archive/$name" "renewal/$name.conf"; do
      [ -e "$store/$path" ] || continue
      mkdir -p "$kept/${path%/*}" && rm -rf "${kept:?}/$path" && mv -T "$store/$path" "$kept/$path" ||
        { problem "$store/$path cannot be put aside"; return 1; }
    done
  done
}
