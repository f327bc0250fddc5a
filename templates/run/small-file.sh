# Files of one or two lines that belong to somebody else's folder and to no group.

# small_file PATH LINE…: 0644, written when it says something else.
small_file() {
  local path="$1"
  shift
  [ -e "$path" ] && [ "$(cat "$path")" = "$(printf '%s\n' "$@")" ] && return 0
  changed
  rm -f "$path.smtp-setup"
  (umask 022 && printf '%s\n' "$@" >"$path.smtp-setup") && mv -fT "$path.smtp-setup" "$path" && return 0
  problem "$path cannot be written"
  return 1
}
