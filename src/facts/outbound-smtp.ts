import type { Probe } from './probe.js';
import { readLines } from './text.js';

export interface OutboundTry {
  host: string;
  family: 4 | 6;
  address?: string;
  result: 'open' | 'refused' | 'timeout' | 'unreachable' | 'unresolved';
  /** The greeting's first line, or the system's error. */
  detail: string;
}

/** Large receivers in different networks: one of them being down says nothing, all of them silent says "blocked". */
export const defaultSmtpHosts: readonly string[] = [
  'gmail-smtp-in.l.google.com',
  'outlook-com.olc.protection.outlook.com',
  'mx-eu.mail.am0.yahoodns.net',
  'mx01.mail.icloud.com',
];

/**
 * Can this server reach port 25 elsewhere? One process a host and family; connects, reads the greeting, says QUIT.
 * Names come in FACT_SMTP_HOSTS; the server's own resolver looks them up.
 */
export const outboundSmtp: Probe<readonly OutboundTry[]> = {
  slow: true,
  script: `exec perl -MSocket=:all -e '
    my @children;
    for my $host (split " ", $ENV{FACT_SMTP_HOSTS}) { for my $family (4, 6) {
      my $pid = fork; next unless defined $pid;
      if ($pid) { push @children, $pid; next }
      my ($address, $stage) = ("", "resolve");
      my $answer = sub {
        my ($result, $detail) = @_;
        $detail =~ tr/\\x20-\\x7e//cd;
        syswrite STDOUT, join("\\t", $host, $family, $address, $result, substr($detail, 0, 200)) . "\\n";
        exit 0;
      };
      $SIG{ALRM} = sub { $answer->($stage eq "resolve" ? "unresolved" : "timeout", "no answer in 9 s") };
      alarm 9;
      my ($error, @found) = getaddrinfo($host, 25, { family => $family == 4 ? AF_INET : AF_INET6, socktype => SOCK_STREAM });
      $answer->("unresolved", "$error") if $error || !@found;
      (undef, $address) = getnameinfo($found[0]{addr}, NI_NUMERICHOST | NI_NUMERICSERV);
      $stage = "connect";
      socket(my $socket, $found[0]{family}, SOCK_STREAM, 0) or $answer->("unreachable", "$!");
      connect($socket, $found[0]{addr})
        or $answer->($!{ECONNREFUSED} ? "refused" : $!{ETIMEDOUT} ? "timeout" : "unreachable", "$!");
      my $text = "";
      sysread($socket, $text, 300);
      syswrite($socket, "QUIT\\r\\n");
      $text =~ s/\\r?\\n.*//s;
      $answer->("open", $text);
    } }
    waitpid $_, 0 for @children;'`,
  parse({ stdout }) {
    return readLines(stdout).flatMap((line) => {
      const [host = '', family, address, result, detail = ''] = line.split('\t');
      if (family !== '4' && family !== '6') return [];
      if (!isResult(result)) return [];
      return [
        {
          host,
          family: family === '4' ? (4 as const) : (6 as const),
          ...(address ? { address } : {}),
          result,
          detail,
        },
      ];
    });
  },
};

function isResult(text: string | undefined): text is OutboundTry['result'] {
  return ['open', 'refused', 'timeout', 'unreachable', 'unresolved'].includes(text ?? '');
}
