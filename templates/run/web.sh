# What is served over HTTPS: a place and a certificate for each domain. /etc/smtp-setup/web/DOMAIN/tls is a symbolic link to
# the certificate in use; until the authority has issued one, the mail server's stands in.

# web_prepare DOMAIN…
web_prepare() {
  local domain folder
  for domain; do
    folder="$ROOT/etc/smtp-setup/web/$domain"
    [ -d "$folder" ] || (umask 022 && mkdir -p "$folder") || { problem "$folder cannot be made"; return 1; }
    [ -e "$folder/tls/fullchain.pem" ] && continue
    [ "$(readlink "$folder/tls")" = ../../tls ] && continue
    changed
    ln -sfn ../../tls "$folder/tls.new" && mv -fT "$folder/tls.new" "$folder/tls" || return
  done
}

# web_certificates DIRECTORY EMAIL DOMAIN:NAME,NAME…: '' is Let's Encrypt, '' no contact. One that fails does not keep the
# others from theirs.
web_certificates() {
  local directory="$1" email="$2" site failed=''
  shift 2
  port_answers 127.0.0.1 80 '' 20 || return
  for site; do
    web_certificate "$directory" "$email" "${site%%:*}" "${site#*:}" || {
      [ $? != 130 ] || return 130
      failed="$failed${failed:+; }$PROBLEM"
    }
  done
  [ -z "$failed" ] || { problem "$failed"; return 1; }
}

# web_certificate DIRECTORY EMAIL DOMAIN NAME,NAME
web_certificate() {
  local directory="$1" email="$2" domain="$3" names="$4" lineage name said code
  lineage=/etc/letsencrypt/live/smtp-setup-web-$domain
  if ! web_good "$lineage/fullchain.pem" "$names" || ! certificates_from "smtp-setup-web-$domain" "$directory"; then
    progress "Asking the certificate authority for the web names of $domain"
    changed
    set -- certonly --non-interactive --agree-tos --webroot --webroot-path /var/www/smtp-setup \
      --cert-name "smtp-setup-web-$domain" --key-type ecdsa --elliptic-curve secp256r1 --reuse-key \
      --keep-until-expiring --renew-with-new-domains
    for name in $(printf '%s' "$names" | tr , ' '); do set -- "$@" --domain "$name"; done
    [ -z "$directory" ] || set -- "$@" --server "$directory"
    if [ -n "$email" ]; then set -- "$@" --email "$email"; else set -- "$@" --register-unsafely-without-email; fi
    said=$(certificates_certbot "$@" 2>&1) || {
      code=$?
      printf '%s\n' "$said"
      problem "no certificate for the web names of $domain: $(certificates_reason "$said")"
      return "$code"
    }
  fi
  [ "$(readlink "/etc/smtp-setup/web/$domain/tls")" = "issued-$(certificates_print "$lineage/fullchain.pem")" ] && return 0
  changed
  said=$(RENEWED_LINEAGE=$lineage /etc/letsencrypt/renewal-hooks/deploy/smtp-setup 2>&1) ||
    { problem "the certificate for the web names of $domain is there, but: $(short_text "$said")"; return 1; }
}

# web_good FILE NAME,NAME: good for 30 days, and for exactly these names.
web_good() {
  [ -e "$1" ] && openssl x509 -in "$1" -noout -checkend 2592000 >/dev/null 2>&1 || return
  [ "$(openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null | tr ',' '\n' | sed -n 's/^ *DNS://p' | sort)" = \
    "$(printf '%s\n' "$2" | tr , '\n' | sort)" ]
}

# web_probe NAME: TLS comes up for the name. Which certificate is shown is for the checks from outside.
web_probe() {
  local said=''
  within 60 web_speaks "$1" || { problem "nginx does not speak TLS for $1: $(short_text "$said")"; return 1; }
}

web_speaks() {
  said=$(openssl s_client -connect 127.0.0.1:443 -servername "$1" </dev/null 2>&1)
}

# web_forget DOMAIN…: certificate and renewal of a domain that is served no more. Files that somebody changed stay.
web_forget() {
  local domain folder code
  for domain; do
    folder="$ROOT/etc/smtp-setup/web/$domain"
    changed
    if [ -e "/etc/letsencrypt/renewal/smtp-setup-web-$domain.conf" ]; then
      certificates_certbot delete --non-interactive --cert-name "smtp-setup-web-$domain" ||
        { code=$?; problem "certbot could not give up the certificate of $domain"; return "$code"; }
    fi
    rm -rf "$folder"/issued-* "$folder/tls" || return
    rmdir "$folder" 2>/dev/null
  done
  return 0
}
