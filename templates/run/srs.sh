# PostSRSd: senders of forwarded mail.

# srs_probe DOMAIN FORWARD REVERSE: a stranger becomes an address of DOMAIN, and that one the stranger again.
srs_probe() {
  local there='' back
  within 60 srs_answers "$2" || { problem "PostSRSd does not answer on $2: $(srs_words)"; return 1; }
  case $there in SRS0=*"@$1") ;; *) problem "PostSRSd made $(short_text "$there") of probe@elsewhere.invalid"; return 1 ;; esac
  back=$(srs_ask "$there" "$3")
  [ "$back" = probe@elsewhere.invalid ] || { problem "PostSRSd made $(short_text "$back") of its own $there"; return 1; }
  [ -z "$(srs_ask "someone@$1" "$2")" ] || { problem "PostSRSd rewrites our own senders"; return 1; }
}

srs_answers() {
  there=$(srs_ask 'probe@elsewhere.invalid' "$1") && [ -n "$there" ]
}

# With the small configuration that the tables are made with: Postfix's own may not be there yet.
srs_ask() {
  timeout 10 postmap -c "$ROOT/etc/smtp-setup/maps/.config" -q "$1" "$2" 2>/dev/null
}

srs_words() {
  journalctl -u postsrsd.service -n 3 -o cat --no-pager 2>/dev/null | tail -n 2 | tr '\n' ' '
}
