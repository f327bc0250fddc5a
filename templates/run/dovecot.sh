# Dovecot: checks of a staged set, proofs of the running daemon.

# dovecot_validate: doveconf accepts variables of the wrong version, so dovecot_probe_login decides.
dovecot_validate() {
  local said
  said=$(doveconf -n -c "$STAGE/etc/dovecot/dovecot.conf" 2>&1 >/dev/null) || { problem "dovecot.conf: $(short_text "$said")"; return 1; }
  [ -z "$said" ] || { problem "dovecot.conf: $(short_text "$said")"; return 1; }
}

# dovecot_probe_imap HOSTNAME: IMAP inside TLS on 993, nothing on 143.
dovecot_probe_imap() {
  port_answers 127.0.0.1 993 '' 30 || return
  talk 127.0.0.1 993 tls "$1" '<^\* OK .*AUTH=PLAIN' '>a LOGOUT' '<^\* BYE' || return
  perl -MSocket=:all -e '
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die;
    exit(connect($socket, pack_sockaddr_in(143, INADDR_LOOPBACK)) ? 0 : 1)' || return 0
  problem 'port 143 is open: IMAP without TLS'
  return 1
}

# dovecot_probe_login DOMAIN MAPTYPE: a throw-away mailbox can log in, with its password only.
dovecot_probe_login() {
  local code=0 login="smtp-setup-probe@$1"
  accounts_probe_begin "$1" "$2" || return
  # Twice: the list is looked at once a second (see postfix_probe_submission).
  doveadm auth test "$login" <"$RUNTIME/$RUN_ID/probe-password" || doveadm auth test "$login" <"$RUNTIME/$RUN_ID/probe-password" ||
    { problem "a new mailbox cannot log in: $(dovecot_words)"; code=1; }
  if printf 'wrong\n' | doveadm auth test "$login"; then
    problem 'a login with a wrong password was accepted'
    code=1
  fi
  doveadm user "no-such-mailbox-here@$1" >/dev/null 2>&1 && { problem 'a mailbox that does not exist is known'; code=1; }
  accounts_probe_end "$2" || return
  return "$code"
}

dovecot_words() {
  journalctl -u dovecot.service -n 20 -o cat --no-pager 2>/dev/null | grep -i 'error\|fatal\|temp' | tail -n 2 | tr '\n' ' '
}
