#!/bin/sh
# Makes this server what smtp-setup exported: installs, asks for the certificate once the name has an address, and signs
# mail once every DKIM key is visible. smtp-setup-export.timer starts it until all is done; until signing is on, mail that
# users submit is put off (4xx), and none leaves unsigned.
set -u
umask 077
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
state=/var/lib/smtp-setup
base=$state/export
work=/run/smtp-setup-export

# HOST; KEY_KIND (file, command or none), KEY_SOURCE; the same of LOGIN_
. "$base/settings"

say() {
  printf '%s\n' "$*" | tee "$base/status"
}

# Nothing of ours stays but the runs themselves.
leave() {
  say "$*"
  systemctl disable --quiet smtp-setup-export.timer
  rm -rf "$base" "$work"
  rm -f /etc/systemd/system/smtp-setup-export.timer /etc/systemd/system/smtp-setup-export.service
  systemctl daemon-reload
  systemctl stop --no-block smtp-setup-export.timer
  exit 0
}

generation() {
  sed -n 's/^"generation":\([0-9]\{1,\}\),$/\1/p' "$state/manifest.json" 2>/dev/null | grep . || echo 0
}

# ask TYPE NAME: the answers of this machine's own validating resolver, one a line.
ask() {
  perl "$base/ask.pl" "$1" "$2"
}

# fetch file|command SOURCE SECRET: from where whoever exported this said, into the run's tmpfs only.
fetch() {
  case $1 in
    file) cat -- "$2" ;;
    command) sh -c "$2" </dev/null ;;
  esac >"$work/secrets/$3"
}

# The keys that several servers share.
fetch_keys() {
  [ "$KEY_KIND" != none ] || return 0
  while read -r DKIM_DOMAIN DKIM_SELECTOR _; do
    export DKIM_DOMAIN DKIM_SELECTOR
    source=$(printf '%s\n' "$KEY_SOURCE" | sed "s/{domain}/$DKIM_DOMAIN/g; s/{selector}/$DKIM_SELECTOR/g")
    fetch "$KEY_KIND" "$source" "dkim-$DKIM_DOMAIN.$DKIM_SELECTOR" || { say "the key of $DKIM_DOMAIN cannot be fetched"; return 1; }
  done <"$base/keys"
}

# The logins of hosted relays: user name and password, a line each.
fetch_logins() {
  [ "$LOGIN_KIND" != none ] || return 0
  while read -r RELAY_NAME RELAY_HOST _; do
    export RELAY_NAME RELAY_HOST
    source=$(printf '%s\n' "$LOGIN_SOURCE" | sed "s/{relay}/$RELAY_NAME/g; s/{host}/$RELAY_HOST/g")
    fetch "$LOGIN_KIND" "$source" "relay-$RELAY_NAME" || { say "the login for $RELAY_HOST cannot be fetched"; return 1; }
    # A secret store may leave the last newline out.
    echo >>"$work/secrets/relay-$RELAY_NAME"
    [ -n "$(sed -n 2p "$work/secrets/relay-$RELAY_NAME")" ] || { say "the login for $RELAY_HOST is not user name and password, a line each"; return 1; }
  done <"$base/logins"
}

# run NAME: one of the exported runs, as smtp-setup itself would start it.
run() {
  local id result active
  id=$(date -u +%Y%m%dT%H%M%SZ)-$1-exported
  result=$state/runs/$id/result
  rm -rf "$work"
  mkdir -p "$work/run" "$work/secrets"
  cp -a "$base/$1/." "$work/run/" && cp -a "$base/lib" "$work/run/lib" || return
  [ "$1" != install ] || { fetch_keys && fetch_logins; } || { rm -rf "$work"; return 1; }
  # Numbered when it starts: an earlier try may have raised the generation.
  sed -i "s/EXPORTED-$1/$id/g; s/^run_begin .*/run_begin $id $1 $(generation) $(grep -c '^step [0-9]' "$work/run/script")/" \
    "$work/run/script"
  sed -i "s/EXPORTED-$1/$id/g; s/^generation=.*/generation=$(generation)/" "$work/run/meta"
  : >"$work/complete"
  tar -C "$work" -cf - run secrets complete | sh "$base/start.sh" "$id" "$(cat "$base/$1.installs")" >"$base/answer"
  rm -rf "$work"
  grep -q '^@started' "$base/answer" || { say "$1 was not started: $(grep '^@' "$base/answer")"; return 1; }
  while [ ! -e "$result" ]; do
    active=$(systemctl show -p ActiveState --value smtp-setup-run.service)
    case $active in
      active | activating | deactivating) sleep 1 ;;
      *)
        sleep 1
        [ -e "$result" ] || { say "$1 ended without a result"; return 1; }
        ;;
    esac
  done
  grep -qx 'code=0' "$result" || { say "$1: $(sed -n 's/^message=//p' "$result")"; return 1; }
  : >"$base/done-$1"
}

# Nobody logs in here to prove that new firewall rules let SSH in. They stay when every port of sshd is open in them;
# otherwise they go by themselves, as they would without this.
keep_firewall() {
  local port ports rules
  systemctl is-active --quiet smtp-setup-firewall-deadman.timer || return 0
  rules=$(nft list chain inet smtp_setup input 2>/dev/null) || return 0
  ports=$(sshd -T 2>/dev/null | sed -n 's/^port //p')
  for port in ${ports:-none}; do
    printf '%s\n' "$rules" | grep -q "dport .*\<$port\>.* accept" || {
      say "the firewall rules go again: SSH listens on $port, which they do not let in"
      return 0
    }
  done
  systemctl stop smtp-setup-firewall-deadman.timer && systemctl enable smtp-setup-firewall.service 2>/dev/null
}

# Every key as its TXT record shows it, to the last character.
keys_visible() {
  local domain selector public
  while read -r domain selector _; do
    public=$(cat "/var/lib/rspamd/dkim/$domain.$selector.pub" 2>/dev/null)
    [ -n "$public" ] || return 1
    ask TXT "$selector._domainkey.$domain" | tr -d ' \t' | grep -qF "p=$public" || {
      say "waiting for the TXT record $selector._domainkey.$domain: v=DKIM1; k=rsa; p=$public"
      return 1
    }
  done <"$base/keys"
}

# Authorities forgive five failures an hour.
certificate_due() {
  [ -n "$(ask A "$HOST")$(ask AAAA "$HOST")" ] || return 1
  [ -z "$(find "$base/tried-certify" -mmin -15 2>/dev/null)" ] || return 1
  touch "$base/tried-certify"
}

for other in "$state"/runs/*; do
  case $other in
    *-exported | "$state/runs/*") ;;
    *) leave 'smtp-setup has taken over this server' ;;
  esac
done

if [ ! -e "$base/done-install" ]; then
  # What the installation misses is rarely there a moment later.
  [ -z "$(find "$base/failed" -mmin -1 2>/dev/null)" ] || exit 0
  rm -f "$base/failed"
  run install || { cp "$base/status" "$base/failed"; exit 1; }
fi
keep_firewall
[ -e "$base/done-golive" ] || [ ! -d "$base/golive" ] || ! keys_visible || run golive
[ -e "$base/done-certify" ] || [ ! -d "$base/certify" ] || ! certificate_due || run certify
keep_firewall
for name in golive certify; do
  [ -e "$base/done-$name" ] || [ ! -d "$base/$name" ] || exit 0
done
leave 'done'
