# Postfix: checks of a staged set, proofs of the running daemon.

# postfix_validate: main.cf and master.cf in $STAGE, by Postfix's own programs. They say nothing of a misspelt
# restriction, so the probes below decide.
postfix_validate() {
  local staged="$STAGE/etc/postfix" said
  for said in /etc/postfix/dynamicmaps.cf /etc/postfix/dynamicmaps.cf.d /etc/postfix/postfix-files /etc/postfix/postfix-files.d; do
    [ -e "$said" ] && [ ! -e "$staged/${said##*/}" ] && cp -a "$said" "$staged/${said##*/}"
  done
  # Postfix reads a main.cf of this second again and again until it has settled: two seconds for each of its programs.
  touch -d '10 seconds ago' "$staged/main.cf" "$staged/master.cf" || return
  said=$(postconf -c "$staged" -n 2>&1 >/dev/null) || { problem "main.cf: $(short_text "$said")"; return 1; }
  [ -z "$said" ] || { problem "main.cf: $(short_text "$said")"; return 1; }
  said=$(postconf -c "$staged" -M 2>&1 >/dev/null) || { problem "master.cf: $(short_text "$said")"; return 1; }
  [ -z "$said" ] || { problem "master.cf: $(short_text "$said")"; return 1; }
  # It makes folders of the queue that are missing, and fails when another step has made one since it looked.
  postfix_spool || return
  said=$(postfix -c "$staged" check 2>&1) || { problem "postfix check: $(short_text "$said")"; return 1; }
}

# postfix_spool: Dovecot puts its sockets here, and Debian 13 makes the folder only when Postfix starts for the first time.
postfix_spool() {
  local folder="$ROOT/var/spool/postfix/private"
  [ -d "$folder" ] && return 0
  changed
  # Postfix may start at this moment.
  (umask 022 && mkdir -p "${folder%/*}") && { mkdir "$folder" 2>/dev/null || [ -d "$folder" ]; } &&
    chown postfix:root "$folder" && chmod 0700 "$folder" && return 0
  problem "$folder cannot be made"
  return 1
}

# postfix_probe_mx HOSTNAME: strangers meet the right name, TLS, and no logins.
postfix_probe_mx() {
  port_answers 127.0.0.1 25 "220 $1 ESMTP" 90 || return
  talk 127.0.0.1 25 plain "$1" '<^220' '>EHLO probe.invalid' '<STARTTLS' '!AUTH' '!SMTPUTF8' '>VRFY root' '<^502' '>QUIT' '<^221' &&
    talk 127.0.0.1 25 starttls "$1" '>EHLO probe.invalid' '<^250' '!AUTH' '>QUIT' '<^221'
}

# postfix_probe_ports HOSTNAME: logins are offered under TLS, and nowhere else.
postfix_probe_ports() {
  # Whoever tried to log in while Dovecot was away has ended a smtpd, and master then rests that port for a minute.
  port_answers 127.0.0.1 587 "220 $1 ESMTP" 90 || return
  talk 127.0.0.1 587 plain "$1" '<^220' '>EHLO probe.invalid' '<STARTTLS' '!AUTH' '!SMTPUTF8' '>VRFY root' '<^[45]' '>QUIT' '<^221' &&
    talk 127.0.0.1 587 starttls "$1" '>EHLO probe.invalid' '<AUTH PLAIN LOGIN' '>QUIT' '<^221' &&
    talk 127.0.0.1 465 tls "$1" '<^220' '>EHLO probe.invalid' '<AUTH PLAIN LOGIN' '!STARTTLS' '>QUIT' '<^221'
}

# postfix_probe_closed: a server that only sends takes no mail from strangers.
postfix_probe_closed() {
  port_closed 25 || { problem 'port 25 is open: this server takes no mail from strangers'; return 1; }
}

# postfix_takes_all DOMAIN: a catch-all wants mail to every name of it; there nobody is unknown.
postfix_takes_all() {
  sed 's/[[:space:]].*//' "$ROOT/etc/smtp-setup/aliases" "$ROOT/etc/postfix/relay_recipients" 2>/dev/null | grep -qxF -e "@$1"
}

# postfix_meet_strangers [DOMAIN [CODE]]: begins to try what the world must not get, and what it is told of unknown
# recipients (550). postscreen looks three seconds at somebody new, so this goes on beside the other probes;
# postfix_probe_strangers says what came of it.
postfix_meet_strangers() {
  rm -f "$RUN_DIR/strangers"
  (postfix_be_a_stranger "$@" || printf '%s\n' "$PROBLEM" >"$RUN_DIR/strangers") &
  STRANGERS=$!
}

postfix_probe_strangers() {
  wait "$STRANGERS"
  # A signal ends `wait`, not the child.
  while kill -0 "$STRANGERS" 2>/dev/null; do wait "$STRANGERS"; done
  [ -e "$RUN_DIR/strangers" ] || return 0
  problem "$(cat "$RUN_DIR/strangers")"
  rm -f "$RUN_DIR/strangers"
  return 1
}

# From our public address, because loopback is trusted.
postfix_be_a_stranger() {
  local address
  address=$(own_address)
  [ -n "$address" ] || { progress 'There is no route to the world: relaying was not tried'; return 0; }
  set -- "$address" "${1:-}" "${2:-550}"
  local refusal="<^$3 ${3%??}\\.1\\.1"
  if postfix_takes_all "$2"; then refusal='<^250'; fi
  if [ -z "$2" ]; then set --; else
    set -- ">RCPT TO:<probe%relay-probe.invalid@$2>" "<^[5${3%??}]" ">RCPT TO:<no-such-mailbox-here@$2>" "$refusal"
  fi
  talk "$address" 25 plain '' '<^220' '>EHLO probe.invalid' '<^250' \
    '>MAIL FROM:<>' '<^250' '>RCPT TO:<probe@relay-probe.invalid>' '<^[45]54 [45]\.7\.1 .*[Rr]elay access denied' \
    "$@" '>QUIT' '<^221'
}

# postfix_probe_submission HOSTNAME DOMAIN MAPTYPE: a login works on both ports, and cannot send as somebody else.
# That a wrong password fails is dovecot_probe_login's to show: each failure costs seconds, on purpose.
postfix_probe_submission() {
  local code=0
  accounts_probe_begin "$2" "$3" || return
  postfix_try_submission "$1" "$2" || {
    # While others log in, a mailbox of this second may not be known yet (accounts_known). A refused login takes longer
    # than that.
    case $PROBLEM in *': 535 '*) postfix_try_submission "$1" "$2" ;; *) false ;; esac
  } || code=1
  accounts_probe_end "$3" || return
  return "$code"
}

postfix_try_submission() {
  local login="$RUNTIME/$RUN_ID/probe-plain"
  set -- "$1" "$2" '>EHLO probe.invalid' '<^250' ">@$login" '<^235' \
    ">MAIL FROM:<somebody-else@$2>" '<^250' ">RCPT TO:<postmaster@$2>" '<^553 5\.7\.1' '>QUIT' '<^221'
  local name="$1"
  shift 2
  talk 127.0.0.1 465 tls "$name" '<^220' "$@" && talk 127.0.0.1 587 starttls "$name" "$@"
}
