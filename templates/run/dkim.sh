# DKIM keys: made here, readable by Rspamd, never made twice.

# dkim_make_key DOMAIN SELECTOR: RSA 2048 (RFC 8301). Beside the key, `.pub` holds what belongs behind `p=` in the DNS.
dkim_make_key() {
  local folder="$ROOT/var/lib/rspamd/dkim" key public
  key=$folder/$1.$2.key
  public=$folder/$1.$2.pub
  [ -d "$folder" ] || { mkdir -p "$folder" && changed; } || return
  chown root:_rspamd "$folder" && chmod 0750 "$folder" || return
  if [ ! -e "$key" ]; then
    progress "Making the key $2._domainkey.$1"
    (umask 077 && openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$key.new" 2>/dev/null ||
      openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$key.new" 2>/dev/null) ||
      { problem "openssl could not make a key"; return 1; }
    changed
    rm -f "$public"
    chown root:_rspamd "$key.new" && chmod 0640 "$key.new" && durable "$key.new" "$key" || return
  fi
  [ -s "$public" ] && return 0
  openssl pkey -in "$key" -pubout -outform DER 2>/dev/null | openssl base64 -A >"$public.new" && [ -s "$public.new" ] ||
    { problem "$key is no key that openssl can read; it was left as it is"; return 1; }
  changed
  chmod 0644 "$public.new" && durable "$public.new" "$public"
}

# dkim_remove_key DOMAIN SELECTOR: never the one that Rspamd signs with.
dkim_remove_key() {
  local path="/var/lib/rspamd/dkim/$1.$2" key
  key=$ROOT$path
  grep -qsF "$path.key" "$ROOT/etc/rspamd/local.d/dkim_signing.conf" &&
    { problem "mail of $1 is still signed with $2"; return 1; }
  [ -e "$key.key" ] || [ -e "$key.pub" ] || return 0
  changed
  rm -f "$key.key" "$key.pub"
}

# dkim_take_key DOMAIN SELECTOR PUBLIC: a key that several servers share, from $SECRETS; PUBLIC ('' when it is not known) is
# what the DNS shows of it. A key that is there stays.
dkim_take_key() {
  local key="$ROOT/var/lib/rspamd/dkim/$1.$2.key" given="$SECRETS/dkim-$1.$2" bits public
  [ ! -e "$key" ] || return 0
  bits=$(openssl pkey -in "$given" -noout -text 2>/dev/null | sed -n 's/^.*Private-Key: (\([0-9]*\) bit.*/\1/p')
  public=$(openssl rsa -in "$given" -pubout -outform DER 2>/dev/null | openssl base64 -A)
  [ -n "$public" ] && [ "${bits:-0}" -ge 2048 ] || { problem "what was fetched for $1 is no RSA key of 2048 bits or more"; return 1; }
  [ -z "$3" ] || [ "$public" = "$3" ] || { problem "what was fetched for $1 is another key than the one of $2._domainkey.$1"; return 1; }
  changed
  mkdir -p "${key%/*}" && chown root:_rspamd "${key%/*}" && chmod 0750 "${key%/*}" || return
  (umask 077 && openssl rsa -in "$given" -out "$key.new" 2>/dev/null) && chown root:_rspamd "$key.new" &&
    chmod 0640 "$key.new" && durable "$key.new" "$key"
}
