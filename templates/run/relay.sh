# Hosted relays: their logins, and proof that a relay lets them in. Needs mail-talk.sh's programs: perl-base and openssl.

# relay_store NAME HOST PORT starttls|wrapper MECHANISMS SECRET: $SECRETS/SECRET holds user and password, a line each. A
# login that the relay refuses is not taken, nor one for a relay without proper TLS; one that does not answer is no reason
# to refuse.
relay_store() {
  local folder="$ROOT/etc/smtp-setup/relay" user password said code
  { IFS= read -r user && IFS= read -r password; } <"$SECRETS/$6" || { problem 'the login was not handed over'; return 1; }
  [ -d "$folder" ] || {
    (umask 022 && mkdir -p "${folder%/*}") && mkdir -m 0700 "$folder" && changed
  } || { problem "$folder cannot be made"; return 1; }
  (umask 077 && printf '%s %s:%s\n' "$2" "$user" "$password" >"$folder/.new") || { problem "$folder cannot be written"; return 1; }
  if cmp -s "$folder/.new" "$folder/$1"; then rm -f "$folder/.new"; return 0; fi
  said=$(relay_try "$folder/.new" "$2" "$3" "$4" "$5") && code=0 || code=$?
  case $code in
    0) ;;
    3) rm -f "$folder/.new"; problem "$2 refuses the login: $(short_text "${said##*	}")"; return 1 ;;
    4) rm -f "$folder/.new"; problem "$2 port $3 cannot be trusted with a login: $(short_text "${said##*	}")"; return 1 ;;
    *) progress "The login could not be tried at $2: $(short_text "${said##*	}")" ;;
  esac
  changed
  durable "$folder/.new" "$folder/$1" || { problem "$folder cannot be written"; return 1; }
  relay_reload
}

# relay_forget NAME
relay_forget() {
  local folder="$ROOT/etc/smtp-setup/relay"
  [ -e "$folder/$1" ] || return 0
  changed
  rm -f "$folder/$1" && { rmdir "$folder" 2>/dev/null || true; }
}

# relay_reload: a table of this kind is read once, when a delivery process starts.
relay_reload() {
  postfix status >/dev/null 2>&1 || return 0
  postfix reload >/dev/null 2>&1 || { problem 'postfix reload failed'; return 1; }
}

# relay_try FILE HOST PORT starttls|wrapper MECHANISMS: logs in and leaves, no mail. Says what it came to, a line a stage:
# connect, tls, login; each with yes or no and a detail, tab-separated. Status 3: the login was refused; 4: no TLS that can
# be trusted; 5: nobody answered.
relay_try() {
  RELAY_ROOTS="${ROOT:-}/etc/ssl/certs/ca-certificates.crt" perl -e '
    use strict; use warnings;
    use IPC::Open3; use IO::Select; use Symbol qw(gensym);
    $SIG{PIPE} = "IGNORE";
    my ($path, $host, $port, $tls, $mechanisms) = @ARGV;
    my ($in, $out, $errors) = (undef, undef, gensym);
    my $child = open3($in, $out, $errors, "openssl", "s_client", "-quiet", "-connect", "$host:$port", "-servername", $host,
      "-verify_hostname", $host, "-verify_return_error", "-CAfile", $ENV{RELAY_ROOTS},
      $tls eq "wrapper" ? () : ("-starttls", "smtp"));
    my ($stage, $buffer, $noise) = ("connect", "", "");
    my $select = IO::Select->new($out, $errors);
    my $say = sub { my ($what, $how, $text) = @_; $text =~ tr/\x20-\x7e/ /c; print join("\t", $what, $how, substr($text, 0, 300)), "\n" };
    my $end = sub {
      my ($code, $text) = @_;
      $say->($stage, "no", $text);
      kill "TERM", $child; waitpid $child, 0;
      exit $code;
    };
    my $reply = sub {
      my $until = time + 30;
      my $text = "";
      while (1) {
        while ($buffer =~ s/^([^\n]*)\r?\n//) {
          my $line = $1; $line =~ s/\r$//;
          $text .= "$line\n";
          return $text if $line =~ /^\d{3}(?: |$)/;
          $end->(5, "this is no SMTP") unless $line =~ /^\d{3}-/;
        }
        $end->(5, "no answer") if time > $until;
        for my $handle ($select->can_read(1)) {
          my $read = sysread($handle, my $piece, 4096);
          if ($handle == $errors) { $noise .= $piece if $read; $select->remove($errors) unless $read; $noise = substr($noise, -8192); next }
          if (!$read) {
            my $late = time + 3;
            while (time < $late && $select->exists($errors) && IO::Select->new($errors)->can_read(1)) { last unless sysread($errors, $noise, 4096, length $noise) }
            my ($bad) = $noise =~ /verify error:num=\d+:(.*)/;
            $stage = "tls", $end->(4, "its certificate: $bad") if defined $bad;
            $stage = "tls", $end->(4, "it offers no STARTTLS") if $noise =~ /didn.t found starttls|not.*starttls/i;
            my ($why) = $noise =~ /(?:connect:errno=\d+|BIO_connect:|BIO_lookup_ex:|:error:)([^\n]*)/;
            $stage = "tls", $end->(4, "no TLS: $why") if defined $why && $noise =~ /SSL routines/;
            $end->(5, $noise =~ /Name or service not known|lookup/ ? "the name does not resolve"
              : $noise =~ /refused/ ? "the connection was refused" : $noise =~ /timed out/ ? "no answer" : "the connection was closed");
          }
          $buffer .= $piece;
          $end->(5, "too much was said") if length $buffer > 65536;
        }
      }
    };
    my $write = sub { my $text = "$_[0]\r\n"; syswrite($in, $text) or $end->(5, "the connection was closed") };
    local $SIG{ALRM} = sub { $end->(5, "no answer in 60 s") };
    alarm 60;
    my $greeting = "";
    if ($tls eq "wrapper") { $greeting = $reply->(); $end->(5, $greeting) unless $greeting =~ /^220/ }
    $write->("EHLO localhost");
    my $offer = $reply->();
    $end->(5, $offer) unless $offer =~ /^250/;
    $say->("connect", "yes", "$host port $port");
    $say->("tls", "yes", "certificate and name are in order");
    $stage = "login";
    my ($known) = $offer =~ /^250[ -]AUTH[ =](.*)$/mi;
    my ($mechanism) = grep { defined $known && " $known " =~ / \Q$_\E /i } split /,/, $mechanisms;
    $end->(4, "it offers no login" . (defined $known ? " of the kind $mechanisms, but $known" : "")) unless defined $mechanism;
    open(my $file, "<", $path) or $end->(5, "the login cannot be read: $!");
    my $line = <$file>; chomp $line;
    $line =~ s/^\S+ // or $end->(5, "the login cannot be read");
    my ($user, $password) = split /:/, $line, 2;
    my $base64 = sub {
      my $text = pack("u", $_[0]);
      $text =~ s/^.//mg; $text =~ tr/\n//d; $text =~ tr#` -_#AA-Za-z0-9+/#;
      my $pad = (3 - length($_[0]) % 3) % 3;
      substr($text, -$pad) = "=" x $pad if $pad;
      return $text;
    };
    my $answer;
    if ($mechanism eq "PLAIN") { $write->("AUTH PLAIN " . $base64->("\0$user\0$password")); $answer = $reply->() }
    else {
      $write->("AUTH LOGIN"); $answer = $reply->();
      if ($answer =~ /^334/) { $write->($base64->($user)); $answer = $reply->() }
      if ($answer =~ /^334/) { $write->($base64->($password)); $answer = $reply->() }
    }
    $answer =~ s/\s+$//;
    $end->($answer =~ /^5/ ? 3 : 5, $answer) unless $answer =~ /^235/;
    $say->("login", "yes", "$mechanism: $answer");
    $write->("QUIT");
    kill "TERM", $child; waitpid $child, 0;
  ' "$@" 2>/dev/null
}
