# Warm-up: when it began, and its end. The ramp itself is /usr/local/lib/smtp-setup/warmup.

# warmup_begin GROUP…: a group that began before goes on.
warmup_begin() {
  local home="$ROOT/etc/smtp-setup/warmup" group said
  [ -d "$home" ] || { (umask 022 && mkdir -p "$home") && changed; } || { problem "$home cannot be made"; return 1; }
  for group; do
    [ -e "$home/started-$group" ] && continue
    changed
    date +%s >"$home/started-$group" || { problem "$home cannot be written"; return 1; }
  done
  said=$("$ROOT/usr/local/lib/smtp-setup/warmup" 2>&1) || { problem "the stage cannot be chosen: $(short_text "$said")"; return 1; }
}

# warmup_end [GROUP…]: forgets these; without one the whole of it.
warmup_end() {
  local home="$ROOT/etc/smtp-setup/warmup" group
  [ -d "$home" ] || return 0
  changed
  for group; do rm -f "$home/started-$group"; done
  [ $# = 0 ] || return 0
  systemctl disable --now smtp-setup-warmup.timer >/dev/null 2>&1 || true
  rm -rf "$home"
}
