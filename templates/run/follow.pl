# Sends what a run writes, from where the client has read to, until the run has ended. Arguments: the run's id, bytes of
# `events` and of `log` already seen. Lines out: "E OFFSET text", "L OFFSET text", "R text" (the result), "G" (gone: the
# unit ended without a result), "H" (still there; the write also finds out that nobody listens any more).
use strict;
my ($id, $events_at, $log_at) = @ARGV;
my $dir = "/var/lib/smtp-setup/runs/$id";
$| = 1;

sub send_lines {
  my ($mark, $file, $at) = @_;
  open(my $in, "<", "$dir/$file") or return $at;
  seek($in, $at, 0);
  while (defined(my $line = <$in>)) {
    last unless $line =~ /\n\z/;
    $at += length $line;
    chomp $line;
    print "$mark $at ", substr($line, 0, 2000), "\n";
  }
  return $at;
}

sub runs_now {
  open(my $in, "-|", "systemctl", "show", "-p", "ActiveState", "-p", "Description", "smtp-setup-run.service") or return 1;
  local $/;
  my $shown = <$in> // "";
  return $shown =~ /^ActiveState=(?:active|activating|deactivating)$/m && $shown =~ /^Description=smtp-setup run \Q$id\E$/m;
}

my $turn = 0;
while (1) {
  # Looked at before reading: what was written before the result is then read for certain.
  my $ended = -e "$dir/result";
  my $gone = !$ended && $turn % 20 == 0 && !runs_now() && !-e "$dir/result";
  $events_at = send_lines("E", "events", $events_at);
  $log_at = send_lines("L", "log", $log_at);
  if ($ended) {
    open(my $in, "<", "$dir/result") or die "result: $!\n";
    print "R ", substr($_, 0, 2100) for <$in>;
    print "R end\n";
    exit 0;
  }
  if ($gone) { print "G\n"; exit 0 }
  print "H\n" if $turn % 50 == 0;
  select(undef, undef, undef, 0.1);
  $turn++;
}
