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
  port_closed 143 || { problem 'port 143 is open: IMAP without TLS'; return 1; }
}

# dovecot_probe_sieve: ManageSieve offers TLS; spam goes into Junk, and other mail does not. (That nobody can log in without
# TLS does not show from here: Dovecot takes a connection from its own address for a safe one.)
dovecot_probe_sieve() {
  local said script=/etc/smtp-setup/sieve/spam.sieve
  # Users' processes cannot write beside it.
  said=$(sievec "$script" 2>&1) || { problem "$script: $(short_text "$said")"; return 1; }
  port_answers 127.0.0.1 4190 '"IMPLEMENTATION"' 30 || return
  said=$(perl -MSocket=:all -e '
    $SIG{ALRM} = sub { die "no answer\n" }; alarm 30;
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die;
    connect($socket, pack_sockaddr_in(4190, INADDR_LOOPBACK)) or die "$!\n";
    my $seen = "";
    while (my $line = <$socket>) { $seen .= $line; last if $line =~ /^OK/ }
    print $seen' 2>&1)
  case $said in *'"STARTTLS"'*) ;; *) problem "ManageSieve offers no TLS: $(short_text "$said")"; return 1 ;; esac
  said=$(sieve_verdict 'X-Spam: Yes')
  case $said in *Junk*) ;; *) problem "spam would not go into Junk: $(short_text "$said")"; return 1 ;; esac
  said=$(sieve_verdict 'X-Spam: No')
  case $said in *Junk*) problem "all mail would go into Junk: $(short_text "$said")"; return 1 ;; *INBOX*) ;; *) problem "sieve: $(short_text "$said")"; return 1 ;; esac
}

# sieve_verdict HEADER: where the script puts a message with it. sieve-test reads it as the owner of all mail.
sieve_verdict() {
  local mail
  mail=$(mktemp) && chmod 0644 "$mail" || return
  printf 'From: <a@probe.invalid>\n%s\nSubject: probe\n\nprobe\n' "$1" >"$mail"
  sieve-test /etc/smtp-setup/sieve/spam.sieve "$mail" 2>&1
  rm -f "$mail"
}

# dovecot_probe_login DOMAIN MAPTYPE: a throw-away mailbox can log in, with its password only, and its room is counted.
dovecot_probe_login() {
  local code=0 login="smtp-setup-probe@$1" box="$ROOT/var/vmail/$1/smtp-setup-probe"
  accounts_probe_begin "$1" "$2" || return
  dovecot_try_login "$login" || code=1
  doveadm quota get -u "$login" 2>/dev/null | grep -q STORAGE ||
    { problem "the quota of a mailbox is not counted: $(dovecot_words)"; code=1; }
  rm -rf "${box:?}"
  doveadm user "no-such-mailbox-here@$1" >/dev/null 2>&1 && { problem 'a mailbox that does not exist is known'; code=1; }
  accounts_probe_end "$2" || return
  return "$code"
}

# dovecot_probe_logins_only DOMAIN MAPTYPE: a throw-away login works, and nobody is served mail.
dovecot_probe_logins_only() {
  local code=0 port
  accounts_probe_begin "$1" "$2" || return
  dovecot_try_login "smtp-setup-probe@$1" || code=1
  accounts_probe_end "$2" || return
  for port in 143 993 4190; do
    port_closed "$port" || { problem "port $port is open on a server without mailboxes"; code=1; }
  done
  return "$code"
}

# dovecot_try_login LOGIN: with the password of accounts_probe_begin, and with another. In this order: after a refusal
# Dovecot takes seconds over every login from the same place.
dovecot_try_login() {
  # Twice: others who log in may have had the list read in the second of its change (accounts_known).
  dovecot_login "$1" || dovecot_login "$1" || { problem "a new login is refused: $(dovecot_words)"; return 1; }
  if printf 'wrong\n' | doveadm auth test "$1" >/dev/null 2>&1; then
    problem 'a login with a wrong password was accepted'
    return 1
  fi
}

dovecot_login() {
  doveadm auth test "$1" <"$RUNTIME/$RUN_ID/probe-password"
}

dovecot_words() {
  journalctl -u dovecot.service -n 20 -o cat --no-pager 2>/dev/null | grep -i 'error\|fatal\|temp' | tail -n 2 | tr '\n' ' '
}
