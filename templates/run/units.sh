# systemd units and the small probes that every component can use.

# unit_running NAME: enabled and active.
unit_running() {
  unit_enable "$1" || return
  systemctl is-active --quiet "$1" || unit_start "$1"
}

# unit_active NAME: it runs. None does where a test's root is.
unit_active() {
  [ -z "$ROOT" ] && systemctl is-active --quiet "$1"
}

unit_enable() {
  case $(systemctl is-enabled "$1" 2>/dev/null) in
    disabled)
      changed
      systemctl enable "$1" || { unit_problem "$1" enable; return 1; }
      ;;
    masked*)
      problem "$1 is masked: systemctl unmask $1"
      return 1
      ;;
  esac
}

unit_start() {
  progress "$1: start"
  changed
  systemctl reset-failed "$1" 2>/dev/null
  systemctl start "$1" || { unit_problem "$1" start; return 1; }
}

# unit_problem NAME ACTION: with the unit's own last words.
unit_problem() {
  local words
  words=$(journalctl -u "$1" -n 5 -o cat --no-pager 2>/dev/null | tail -n 3 | tr '\n' ' ')
  problem "$1: $2 failed${words:+: $words}"
}

# within SECONDS COMMAND [ARGUMENT…]: tries until it succeeds, and fails when the time is over: a slow machine is not a broken
# one, nor is a resolver that remembers for some seconds that it got no answer.
within() {
  local now end
  read -r now _ </proc/uptime
  end=$((${now%.*} + $1))
  shift
  until "$@"; do
    read -r now _ </proc/uptime
    [ "${now%.*}" -lt "$end" ] || return 1
    sleep 0.3
  done
}

# port_closed PORT: nothing listens on it any more; what goes away takes a moment.
port_closed() {
  perl -MSocket=:all -e '
    for (1 .. 50) {
      socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
      connect($socket, pack_sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or exit 0;
      select(undef, undef, undef, 0.2);
    }
    exit 1' "$1"
}

# port_answers ADDRESS PORT BEGINNING SECONDS: waits until the server's first words begin so; '' asks for a connection only.
port_answers() {
  local seen
  seen=$(perl -MSocket=:all -e '
    my ($address, $port, $want, $seconds) = @ARGV;
    my ($seen, $end) = ("nothing listens", time + $seconds);
    my ($error, $info) = getaddrinfo($address, $port, { flags => AI_NUMERICHOST, socktype => SOCK_STREAM });
    die "$address: $error\n" if $error;
    while (1) {
      socket(my $socket, $info->{family}, SOCK_STREAM, 0) or die "socket: $!\n";
      if (connect($socket, $info->{addr})) {
        exit 0 if $want eq "";
        my ($ready, $text) = ("", "");
        vec($ready, fileno($socket), 1) = 1;
        my $left = $end - time; $left = 1 if $left < 1;
        if (select($ready, undef, undef, $left)) { sysread($socket, $text, 500) }
        exit 0 if index($text, $want) == 0;
        $text =~ tr/\x20-\x7e//cd;
        $seen = $text eq "" ? "connected, no greeting" : "answered: $text";
      }
      last if time >= $end;
      select(undef, undef, undef, 0.2);
    }
    print $seen; exit 1' "$1" "$2" "$3" "$4" 2>&1) && return 0
  problem "port $2 on $1: $seen (expected ${3:-a connection} within $4 s)"
  return 1
}
