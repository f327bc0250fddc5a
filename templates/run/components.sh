# Small things that several components use.

# small_file PATH LINE…: a file of a few lines in somebody else's folder; 0644, written when it says something else.
small_file() {
  local path="$1"
  shift
  [ -e "$path" ] && [ "$(cat "$path")" = "$(printf '%s\n' "$@")" ] && return 0
  changed
  before_keep "${path#"$ROOT"}" || return
  rm -f "$path.smtp-setup"
  (umask 022 && printf '%s\n' "$@" >"$path.smtp-setup") && mv -fT "$path.smtp-setup" "$path" && return 0
  problem "$path cannot be written"
  return 1
}

# short_text TEXT: on one line, cut, for a problem's text.
short_text() {
  printf '%s' "$1" | tr '\n' ' ' | head -c 600
}
