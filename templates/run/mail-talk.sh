# A line dialogue with a mail server, in plain text or TLS, for probes. Needs perl-base and openssl.

# talk ADDRESS PORT plain|tls|starttls NAME STEP…: NAME is the server name for TLS. Steps:
#   ">TEXT"    send a line             ">@FILE"  send the first line of a file, which is never shown
#   "<REGEX"   the next reply matches  "!REGEX"  the reply just read does not match
#   "*FILE"    send a file as a message, with the final dot
# A reply is read to its last line (SMTP), or as one line when its pattern begins with "^\*" or "^[a-z]" (IMAP).
talk() {
  local seen
  seen=$(perl -e '
    use strict; use warnings;
    use Socket qw(:all); use IPC::Open3; use IO::Select; use Symbol qw(gensym);
    $SIG{PIPE} = "IGNORE";
    my ($address, $port, $mode, $name, @steps) = @ARGV;
    my ($in, $out, $child);
    my $place = $address =~ /:/ ? "[$address]:$port" : "$address:$port";
    if ($mode eq "plain") {
      my ($error, $info) = getaddrinfo($address, $port, { flags => AI_NUMERICHOST, socktype => SOCK_STREAM });
      die "$address: $error\n" if $error;
      socket(my $socket, $info->{family}, SOCK_STREAM, 0) or die "socket: $!\n";
      connect($socket, $info->{addr}) or die "$place: $!\n";
      ($in, $out) = ($socket, $socket);
    } else {
      open(my $null, ">", "/dev/null") or die "/dev/null: $!\n";
      $child = open3($in, $out, ">&" . fileno($null), "openssl", "s_client", "-quiet", "-connect", $place,
        "-servername", $name, $mode eq "starttls" ? ("-starttls", "smtp") : ());
    }
    my ($buffer, $reply, $last) = ("", "", "nothing");
    my $select = IO::Select->new($out);
    my $line = sub {
      # Postfix rests a service of which one process has failed for a minute.
      my $end = time + 90;
      while ($buffer !~ /\n/) {
        die "after $last: no answer\n" if time > $end;
        next unless $select->can_read(1);
        my $read = sysread($out, $buffer, 4096, length $buffer);
        die "after $last: the connection was closed\n" unless $read;
        die "after $last: more than 64 KiB\n" if length $buffer > 65536;
      }
      $buffer =~ s/^([^\n]*)\n// or die;
      my $text = $1; $text =~ s/\r$//; return $text;
    };
    my $write = sub {
      my $text = shift;
      while (length $text) {
        my $written = syswrite($in, $text);
        die "after $last: cannot send ($!)\n" unless $written;
        substr($text, 0, $written) = "";
      }
    };
    my $first_line = sub {
      open(my $file, "<", $_[0]) or die "$_[0]: $!\n";
      my $text = <$file>; chomp $text; return $text;
    };
    for my $step (@steps) {
      my ($kind, $text) = $step =~ /^(.)(.*)$/s;
      if ($kind eq ">") {
        $last = $text;
        if ($text =~ /^\@(.*)/) { $last = "a secret line"; $write->($first_line->($1) . "\r\n") }
        else { $write->("$text\r\n") }
      } elsif ($kind eq "*") {
        $last = "the message";
        open(my $file, "<", $text) or die "$text: $!\n";
        while (my $one = <$file>) { $one =~ s/\r?\n$//; $one =~ s/^\./../; $write->("$one\r\n") }
        $write->(".\r\n");
      } elsif ($kind eq "<") {
        $reply = "";
        while (1) {
          my $one = $line->();
          $reply .= "$one\n";
          last if $text =~ /^\^(\\\*|[a-z])/ || $one =~ /^\d{3}( |$)/;
        }
        $reply =~ /$text/m or die "after $last: " . shown($reply) . " (expected $text)\n";
      } elsif ($kind eq "!") {
        $reply !~ /$text/m or die "after $last: " . shown($reply) . " (must not match $text)\n";
      }
    }
    sub shown { my $text = shift; $text =~ tr/\x20-\x7e/ /c; return substr($text, 0, 300) }
    END { my $code = $?; if ($child) { kill "TERM", $child; waitpid($child, 0) } $? = $code }
  ' "$@" 2>&1) && return 0
  problem "$1 port $2: $(printf '%s' "$seen" | tail -n 1)"
  return 1
}

# own_address: the address that a stranger reaches us by; nothing when there is no route out. Sends no packet.
own_address() {
  perl -MSocket=:all -e '
    for my $far ("192.0.2.1", "2001:db8::1") {
      my ($error, $info) = getaddrinfo($far, 53, { flags => AI_NUMERICHOST, socktype => SOCK_DGRAM });
      next if $error or !socket(my $socket, $info->{family}, SOCK_DGRAM, 0);
      next unless connect($socket, $info->{addr});
      my ($problem, $host) = getnameinfo(getsockname($socket), NI_NUMERICHOST | NI_NUMERICSERV);
      next if $problem or $host =~ /^127\.|^::1$/;
      print $host; last;
    }'
}
