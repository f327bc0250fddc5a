/** What a probe's script printed on the server. Untrusted: parse strictly. */
export interface ProbeOutput {
  code: number;
  stdout: string;
}

/**
 * One read-only question to the server. All probes travel in one script and run in one round trip.
 * `script` is POSIX sh with nothing but coreutils, perl-base and systemd; it must not write anywhere.
 * `parse` is pure; it gets an empty output with code 127 when the program it needs is absent.
 */
export interface Probe<T> {
  script: string;
  parse(output: ProbeOutput): T;
  /** Slow probes (network) run in the background beside the others. */
  slow?: boolean;
}
