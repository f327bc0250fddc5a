# manifest.json: the managed files with their hashes, and the server's generation. One file a line, so that the shell
# can edit it; it is JSON all the same. Paths hold no quotes and no backslashes (the compiler refuses them).

manifest_generation() {
  local found
  found=$(sed -n 's/^"generation":\([0-9]\{1,\}\),$/\1/p' "$STATE/manifest.json" 2>/dev/null | head -n 1)
  printf '%s' "${found:-0}"
}

# manifest_check: 5 when a newer smtp-setup wrote here, 6 when another run came between the plan and this run.
manifest_check() {
  [ -e "$STATE/manifest.json" ] || {
    [ "$RUN_GENERATION" = 0 ] && return 0
    problem "the server's manifest has gone since the plan was made"
    return 6
  }
  local schema
  schema=$(sed -n 's/^{"schema":\([0-9]\{1,\}\),$/\1/p' "$STATE/manifest.json" | head -n 1)
  if [ -n "$schema" ] && [ "$schema" -gt "$SCHEMA" ]; then
    problem "a newer smtp-setup (schema $schema, this one knows $SCHEMA) manages this server"
    return 5
  fi
  [ "$(manifest_generation)" = "$RUN_GENERATION" ] && return 0
  problem "another run changed the server since the plan was made (generation $(manifest_generation), planned on $RUN_GENERATION)"
  return 6
}

# manifest_add PATH SHA256 MODE OWNER GROUP, manifest_remove PATH: taken over by the next manifest_write.
manifest_add() {
  printf '{"path":"%s","sha256":"%s","mode":"%s","owner":"%s","group":"%s"}\n' "$@" >>"$RUN_DIR/manifest.add"
}

manifest_remove() {
  printf '{"path":"%s",\n' "$1" >>"$RUN_DIR/manifest.remove"
}

# manifest_record PATH SHA256 MODE OWNER GROUP: at once, where no group is at work.
manifest_record() {
  manifest_alone manifest_record_one "$@"
}

manifest_record_one() {
  manifest_add "$@" && manifest_write
}

# manifest_alone FUNCTION [ARGUMENT…]: other steps may write the manifest at this moment.
manifest_alone() {
  (flock 9 && "$@") 9>>"$RUN_DIR/manifest.lock"
}

manifest_entries() {
  sed -n 's/^\({"path":"[^"]*",.*}\),\{0,1\}$/\1/p' "$STATE/manifest.json" 2>/dev/null
}

# manifest_hash PATH: the hash of what we wrote last; nothing when the file is not ours.
manifest_hash() {
  manifest_entries | grep -F "{\"path\":\"$1\"," | sed 's/.*"sha256":"\([0-9a-f]*\)".*/\1/'
}

manifest_write() {
  sed 's/^\({"path":"[^"]*",\).*/\1/' "$RUN_DIR/manifest.add" >>"$RUN_DIR/manifest.remove" || return
  {
    printf '{"schema":%s,\n"generation":%s,\n"run":"%s",\n"files":[\n' "$SCHEMA" "$RUN_GENERATION" "$RUN_ID"
    { manifest_entries | grep -vF -f "$RUN_DIR/manifest.remove"; cat "$RUN_DIR/manifest.add"; } | sort | sed '$!s/$/,/'
    printf ']}\n'
  } >"$STATE/manifest.new" && durable "$STATE/manifest.new" "$STATE/manifest.json" || return
  : >"$RUN_DIR/manifest.add" && : >"$RUN_DIR/manifest.remove"
}
