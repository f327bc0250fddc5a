import type { Probe } from './probe.js';
import { readLines } from './text.js';

/** A warm-up under way, as the server's own clock and script have it. */
export interface WarmupState {
  /** `server`, or the domain that keeps apart. */
  group: string;
  /** Seconds since 1970. */
  started: number;
  /** Day that the script last judged. */
  day: number;
}

export const warmup: Probe<readonly WarmupState[]> = {
  script: `cd /etc/smtp-setup/warmup || exit 0
for file in started-*; do
  [ -f "$file" ] && printf '%s %s %s\\n' "\${file#started-}" "$(head -c 20 "$file")" "$(sed -n "s/^\${file#started-} \\([0-9]*\\) .*/\\1/p" stages)"
done
true`,
  parse({ stdout }) {
    return readLines(stdout).flatMap((line) => {
      const [, group, started, day] = /^([a-z0-9.-]+) (\d{1,12}) ?(\d{1,6})?$/.exec(line) ?? [];
      if (group === undefined || started === undefined) return [];
      return [{ group, started: Number(started), day: Number(day ?? 1) }];
    });
  },
};
