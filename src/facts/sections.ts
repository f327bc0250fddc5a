import { shellQuote } from '../lib/shell-quote.js';
import type { ProbeOutput } from './probe.js';

/** One question inside the script that carries them all. */
export interface Section {
  name: string;
  script: string;
  /** Seconds after which `timeout` ends it (status 124). */
  seconds: number;
  /** Bytes of output that are kept; the rest is dropped and the section counts as cut. */
  maxBytes: number;
  /** Runs beside the others. */
  background: boolean;
}

export interface SectionOutput extends ProbeOutput {
  /** The output was longer than allowed. */
  cut: boolean;
  bytes: Buffer;
}

/** Sections that run at the same time, beside those in the background: more would only fight for the processor. */
const workers = 3;

/**
 * Runs the sections and prints each answer as one line, in whatever order they end. One perl process does the work of
 * four small programs a section. perl-base has no MIME::Base64; uuencode is the same bits in another alphabet.
 */
const runner = `
use strict;
use POSIX qw(:sys_wait_h setpgid);
my ($tag, $workers, @words) = @ARGV;
my (@waiting, %running);
while (my ($name, $seconds, $max, $slow, $script) = splice @words, 0, 5) {
  my $section = { name => $name, seconds => $seconds, max => $max, slow => $slow, script => $script, out => "" };
  if ($slow) { unshift @waiting, $section } else { push @waiting, $section }
}
sub start {
  my $section = shift;
  pipe(my $read, my $write) or return finish($section, 126);
  my $pid = fork;
  if (!defined $pid) { return finish($section, 126) }
  if ($pid == 0) {
    setpgid(0, 0);
    open STDOUT, ">&", $write; open STDERR, ">", "/dev/null"; open STDIN, "<", "/dev/null";
    exec "sh", "-c", $section->{script} or POSIX::_exit(127);
  }
  close $write;
  @$section{qw(pid read until)} = ($pid, $read, time + $section->{seconds});
  $running{fileno $read} = $section;
}
sub finish {
  my ($section, $status) = @_;
  my $text = pack "u", $section->{out};
  $text =~ s/^.//mg; $text =~ s/\\n//g; $text =~ tr#\` -_#AA-Za-z0-9+/#;
  my $pad = (3 - length($section->{out}) % 3) % 3;
  substr($text, -$pad) = "=" x $pad if $pad;
  print "$tag $section->{name} $text $status\\n";
}
sub status_of {
  my $section = shift;
  while (waitpid($section->{pid}, WNOHANG) == 0) {
    if (time > $section->{until}) { kill KILL => -$section->{pid}; waitpid $section->{pid}, 0; return 124 }
    select undef, undef, undef, 0.01;
  }
  return WIFEXITED($?) ? WEXITSTATUS($?) : 128 + WTERMSIG($?);
}
while (@waiting || %running) {
  start(shift @waiting) while @waiting && ($waiting[0]{slow} || (grep { !$_->{slow} } values %running) < $workers);
  my $bits = "";
  vec($bits, $_, 1) = 1 for keys %running;
  select $bits, undef, undef, 0.5;
  for my $number (keys %running) {
    my $section = $running{$number};
    if (vec $bits, $number, 1) {
      my $count = sysread $section->{read}, my $part, 65536;
      # What is over the limit is read and dropped: a probe that dies of SIGPIPE would look broken.
      if ($count) { $section->{out} .= substr $part, 0, $section->{max} - length $section->{out} }
      else { delete $running{$number}; finish($section, status_of($section)) }
    } elsif (time > $section->{until}) {
      delete $running{$number};
      finish($section, status_of($section));
    }
  }
}`;

/**
 * Compiles sections into one POSIX script for `sh -s`. Each answer is one line, `TAG name base64 status`: whatever a
 * login shell, a motd or a probe prints cannot be taken for it, and any byte may be in it. Nothing is executed before
 * the last line has arrived, so a cut upload does nothing; and nothing is written anywhere, not even to /tmp.
 */
export function compileSections(
  tag: string,
  sections: readonly Section[],
  variables: Readonly<Record<string, string>> = {},
): string {
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  const arguments_ = sections.map(({ name, seconds, maxBytes, background, script }) =>
    [shellQuote(name), seconds, maxBytes + 1, background ? 1 : 0, shellQuote(script)].join(' '),
  );
  return [
    'export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root',
    ...exports,
    // A system without perl is none that we support, but it must be able to say which one it is.
    'plainly() {',
    '  while [ $# -gt 0 ]; do',
    '    out=$(timeout "$2" sh -c "$5" 2>/dev/null)',
    `    printf '%s %s %s %s\\n' ${shellQuote(tag)} "$1" "$(printf '%s\\n' "$out" | head -c "$3" | base64 | tr -d '\\n')" $?`,
    '    shift 5',
    '  done',
    '}',
    'main() {',
    `  if command -v "\${SMTP_SETUP_PERL:-perl}" >/dev/null; then exec perl -e ${shellQuote(runner)} ${shellQuote(tag)} ${workers} "$@"; fi`,
    '  plainly "$@"',
    '}',
    // A login script may have left a line without its end.
    `echo; main ${arguments_.join(' ')} </dev/null`,
    '',
  ].join('\n');
}

/** Reads the answers back. Lines without the tag are noise; a section without an answer is left out. */
export function parseSections(
  tag: string,
  sections: readonly Section[],
  stdout: string,
): Map<string, SectionOutput> {
  const limits = new Map(sections.map((section) => [section.name, section.maxBytes]));
  const answers = new Map<string, SectionOutput>();
  for (const line of stdout.split('\n')) {
    const [marker, name, answer, status, ...rest] = line.trimEnd().split(' ');
    const limit = limits.get(name ?? '');
    if (marker !== tag || name === undefined || limit === undefined || answers.has(name)) continue;
    if (answer === undefined || !/^[A-Za-z0-9+/]*={0,2}$/.test(answer)) continue;
    if (status === undefined || !/^\d{1,3}$/.test(status) || rest.length > 0) continue;
    const all = Buffer.from(answer, 'base64');
    const bytes = all.subarray(0, limit);
    answers.set(name, {
      code: Number(status),
      stdout: bytes.toString('utf8'),
      bytes,
      cut: all.length > limit,
    });
  }
  return answers;
}
