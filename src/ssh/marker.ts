/**
 * Splits a stream at the first line that is exactly `marker`. What comes before is noise of the login shell
 * (.bashrc, motd, csh's echo); what comes after belongs to the command.
 */
export interface MarkerFilter {
  /** Returns the part that belongs to the command. */
  push(chunk: Buffer): Buffer;
  readonly seen: boolean;
  /** The start of what came before the marker; all of it as long as `seen` is false. */
  readonly noise: Buffer;
}

const NOISE_LIMIT = 256 * 1024;
const NOTHING = Buffer.alloc(0);

export function createMarkerFilter(marker: string): MarkerFilter {
  const needle = Buffer.from(`\n${marker}\n`);
  let held: Buffer = NOTHING;
  let seen = false;
  return {
    push(chunk) {
      if (seen) return chunk;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const at = held.indexOf(needle);
      if (at >= 0) {
        seen = true;
        const rest = held.subarray(at + needle.length);
        held = held.subarray(0, at);
        return rest;
      }
      // A server that only ever sends noise must not fill our memory; the tail may hold half a marker.
      if (held.length > NOISE_LIMIT) held = Buffer.from(held.subarray(held.length - needle.length));
      return NOTHING;
    },
    get seen() {
      return seen;
    },
    get noise() {
      return held;
    },
  };
}
