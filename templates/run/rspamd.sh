# Rspamd: checks of a staged set, proofs of the running milter.

# rspamd_validate: the installed configuration with the staged local.d over it. configtest accepts unknown keys, so the
# probes below decide.
rspamd_validate() {
  local said tree="$STAGE/.rspamd"
  rm -rf "$tree" && cp -a /etc/rspamd "$tree" && cp -a "$STAGE/etc/rspamd/local.d/." "$tree/local.d/" || return
  said=$(rspamadm --var=LOCAL_CONFDIR="$tree" configtest 2>&1) || { problem "rspamd: $(short_text "$said")"; return 1; }
  case $said in
    *'syntax OK'*) rm -rf "$tree" ;;
    *) problem "rspamd: $(short_text "$said")"; return 1 ;;
  esac
}

# rspamd_probe_guard: a message from this machine that cannot be signed gets a 4xx, never a silent pass.
rspamd_probe_guard() {
  rspamd_wait && milter_says "probe@unsigned.invalid" '^tempfail 451 4\.7\.1'
}

# rspamd_probe_signing DOMAIN SELECTOR: a message from this machine is signed.
rspamd_probe_signing() {
  rspamd_wait && milter_says "postmaster@$1" "^accept .*[; ]d=$1;.*[; ]s=$2;|^accept .*[; ]s=$2;.*[; ]d=$1;"
}

# rspamd_probe_limit: a login that has sent too much is told to come later.
rspamd_probe_limit() {
  local code=0 user=smtp-setup-probe@limit.invalid
  rspamd_wait || return
  redis_ask set "smtp-setup:sent:$user:hour" 10000000 EX 60 >/dev/null
  milter_says "$user" '^tempfail 451 4\.7\.1 Sending limit reached' "$user" || code=1
  redis_ask del "smtp-setup:sent:$user:hour" "smtp-setup:tripped:$user" >/dev/null
  return "$code"
}

# rspamd_sign_sample DOMAIN: prints the DKIM-Signature that a small message of postmaster's gets, for whoever verifies it.
rspamd_sign_sample() {
  local tries=0
  # A worker from before the last reload may still take a connection.
  until milter_says "postmaster@$1" '^accept v=1;'; do
    tries=$((tries + 1))
    [ "$tries" -lt 15 ] || return 1
    sleep 2
  done
  printf '%s\n' "${MILTER_VERDICT#accept }"
}

# rspamd_wait: until the milter is a process that was started after the last change of local.d. A reload keeps the old one
# for a few seconds, and what that says proves nothing.
rspamd_wait() {
  local tries=0
  until rspamd_is_fresh; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { problem "rspamd does not take over its new configuration: $(rspamd_words)"; return 1; }
    sleep 0.5
  done
  port_answers 127.0.0.1 11332 '' 300
}

rspamd_is_fresh() {
  perl -e '
    open(my $clock, "<", "/proc/uptime") or exit 1;
    my ($uptime) = split " ", <$clock>;
    my $changed = time - (stat "/etc/rspamd/local.d")[9];
    for my $folder (glob "/proc/[0-9]*") {
      open(my $line, "<", "$folder/cmdline") or next;
      next unless (<$line> // "") =~ /^rspamd: rspamd_proxy/;
      open(my $stat, "<", "$folder/stat") or next;
      (my $fields = <$stat> // next) =~ s/^.*\) //;
      # Field 22: start in hundredths of a second since boot (proc(5)).
      exit 0 if $uptime - (split " ", $fields)[19] / 100 <= $changed;
    }
    exit 1'
}

rspamd_words() {
  journalctl -u rspamd.service -n 30 -o cat --no-pager 2>/dev/null | grep -i 'cannot\|error\|lua' | tail -n 2 | tr '\n' ' '
}

# milter_says FROM REGEX [LOGIN]: what the milter decides on a small message from loopback, with the signature it adds.
milter_says() {
  local seen
  seen=$(perl -MSocket=:all -e '
    use strict; use warnings;
    my ($from, $want, $login) = @ARGV;
    $SIG{ALRM} = sub { die "no answer within 60 s\n" }; alarm 60;
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    connect($socket, pack_sockaddr_in(11332, INADDR_LOOPBACK)) or die "127.0.0.1:11332: $!\n";
    my $send = sub { syswrite($socket, pack("N", length $_[0]) . $_[0]) or die "send: $!\n" };
    my $read = sub {
      my ($count, $data) = ($_[0], "");
      while (length $data < $count) { sysread($socket, $data, $count - length $data, length $data) or die "closed\n" }
      return $data;
    };
    my $packet = sub {
      my $length = unpack("N", $read->(4));
      die "a packet of $length bytes\n" if $length < 1 || $length > 1048576;
      return $read->($length);
    };
    # Version 6, every action; the milter says which steps it wants not at all, or without answering them.
    $send->("O" . pack("NNN", 6, 0x1ff, 0x1fffff));
    my (undef, undef, undef, $without) = unpack("aNNN", $packet->());
    my %skip = (C => 0x1, H => 0x2, M => 0x4, R => 0x8, B => 0x10, L => 0x20, N => 0x40, T => 0x200);
    my %silent = (C => 0x1000, H => 0x2000, M => 0x4000, R => 0x8000, T => 0x10000, N => 0x40000, B => 0x80000, L => 0x80);
    my $step = sub {
      my $kind = substr($_[0], 0, 1);
      return if $without & $skip{$kind};
      $send->($_[0]);
      return if $without & $silent{$kind};
      my $answer = "p";
      $answer = $packet->() while $answer =~ /^p/;
      $answer =~ /^c/ or do { print "early ", substr($answer, 0, 1), "\n"; exit 1 };
    };
    $send->("DC" . "j\0probe.invalid\0");
    $step->("Clocalhost\0004" . pack("n", 25252) . "127.0.0.1\0");
    $step->("Hlocalhost\0");
    $send->("DM" . "i\0PROBE\0" . ($login eq "" ? "" : "{auth_authen}\0$login\0{auth_type}\0PLAIN\0"));
    $step->("M<$from>\0");
    $step->("R<$from>\0");
    $step->("T");
    $step->("L$_->[0]\0$_->[1]\0") for ["From", "<$from>"], ["To", "<$from>"], ["Subject", "probe"],
      ["Date", "Thu, 01 Jan 1970 00:00:00 +0000"], ["Message-ID", "<probe\@probe.invalid>"];
    $step->("N");
    $step->("BThis message is never sent.\r\n");
    $send->("E");
    my $signature = "";
    my $verdict;
    until (defined $verdict) {
      my $answer = $packet->();
      my ($kind, $data) = (substr($answer, 0, 1), substr($answer, 1));
      if ($kind eq "h" || $kind eq "i") {
        $data = substr($data, 4) if $kind eq "i";
        my ($name, $value) = split /\0/, $data;
        $signature = $value if lc $name eq "dkim-signature";
      }
      elsif ($kind eq "y") { $data =~ s/\0.*//s; $verdict = $data =~ /^4/ ? "tempfail $data" : "reject $data" }
      elsif ($kind eq "t") { $verdict = "tempfail" }
      elsif ($kind eq "r") { $verdict = "reject" }
      elsif ($kind eq "d") { $verdict = "discard" }
      elsif ($kind eq "a" || $kind eq "c") { $verdict = "accept $signature" }
    }
    $verdict =~ s/\s+/ /g;
    if ($verdict =~ /$want/) { print $verdict; exit 0 }
    print substr($verdict, 0, 300), " (expected $want)"; exit 1;
  ' "$1" "$2" "${3:-}" 2>&1) && { MILTER_VERDICT=$seen; return 0; }
  problem "the milter, for a message from $1: $(short_text "$seen")"
  return 1
}
