# A login and mailbox for one check from outside: smtp-setup-check-XXXXXXXX@DOMAIN. The script that the client uploads lies
# in $RUNTIME/checks as long as the mailbox may live; without it (the time is over, a reboot) the next change of the lists
# removes the mailbox. A timer ends it when the client does not.

# check_login_begin NAME DOMAIN MAPTYPE SECONDS: prints its password, which nobody else ever sees.
check_login_begin() {
  local folder="$RUNTIME/checks"
  systemd-run --quiet --collect --unit="$1" --on-active="$4" --timer-property=AccuracySec=1s /bin/sh "$folder/$1.sh" end ||
    { problem 'the timer that removes the mailbox of the check cannot be set'; return 1; }
  perl -e 'open(my $random, "<", "/dev/urandom") or die; sysread($random, my $bytes, 24) == 24 or die; print unpack("H*", $bytes), "\n"' \
    >"$folder/$1.password" && accounts_do "$3" check-begin "$1@$2" "$folder/$1.password" >&2 ||
    { check_login_end "$@" >&2; return 1; }
  printf 'password %s\n' "$(cat "$folder/$1.password")"
  rm -f "$folder/$1.password"
}

# check_login_end NAME DOMAIN MAPTYPE: login, mailbox and what was delivered to it go.
check_login_end() {
  local box="$ROOT/var/vmail/$2/$1"
  rm -f "$RUNTIME/checks/$1.sh" "$RUNTIME/checks/$1.password"
  accounts_do "$3" check-end || return
  timeout 10 doveadm kick "$1@$2" </dev/null >/dev/null 2>&1
  case $1 in smtp-setup-check-????????) rm -rf "${box:?}" ;; esac
  rmdir "$RUNTIME/checks" 2>/dev/null
  systemctl stop "$1.timer" 2>/dev/null
  return 0
}
