# Back to what the server was before (before.sh). The mail stays where it is; keys, certificates and the lists of mailboxes
# are put aside in $STATE/kept. Each function looks first, so that a run that was killed is finished by the next.

# uninstall_queue DISCARD: mail comes in no more, and what waits to go out has gone, or is given up (1).
uninstall_queue() {
  local spool="$ROOT/var/spool/postfix" waiting=0 unit
  [ -d "$spool/active" ] || return 0
  for unit in postfix@-.service postfix.service; do
    systemctl is-active --quiet "$unit" || continue
    changed
    systemctl stop "$unit" || { unit_problem "$unit" stop; return 1; }
  done
  waiting=$(find "$spool/maildrop" "$spool/incoming" "$spool/active" "$spool/deferred" "$spool/hold" -type f | wc -l)
  if [ "$waiting" = 0 ] || [ "$1" = 1 ]; then return 0; fi
  systemctl start postfix.service
  problem "$waiting messages wait in the queue; they would be lost"
  return 1
}

# uninstall_resolver: who answered names before does so again, while unbound still runs.
uninstall_resolver() {
  uninstall_path /etc/resolv.conf
}

# uninstall_units UNIT…: what did not run before stops, and does not start again.
uninstall_units() {
  local unit
  for unit; do
    if ! uninstall_was active "$unit" && systemctl is-active --quiet "$unit"; then
      progress "$unit: stop"
      changed
      systemctl stop "$unit" || { unit_problem "$unit" stop; return 1; }
    fi
    if ! uninstall_was enabled "$unit" && [ "$(systemctl is-enabled "$unit" 2>/dev/null)" = enabled ]; then
      changed
      systemctl disable --quiet "$unit" || { unit_problem "$unit" disable; return 1; }
    fi
  done
}

# uninstall_components ID…: what a component left beside files, units and packages, in its own words (ID_leave).
uninstall_components() {
  local id
  for id; do
    id=$(printf '%s' "$id" | tr - _)
    command -v "${id}_leave" >/dev/null || continue
    "${id}_leave" || return
  done
}

# uninstall_files PATH…: everything that was ever written over is as it was; PATHs are managed files that nothing is known of.
uninstall_files() {
  local path kind
  progress 'Putting the files back'
  for path; do
    uninstall_known "$path" || { [ -e "$ROOT$path" ] && changed && rm -f "$ROOT$path"; }
  done
  if [ -e "$STATE/before/list" ]; then
    while read -r kind path; do [ "$kind" = folder ] || uninstall_path "$path" || return; done <"$STATE/before/list"
    # Those that only we had files in; the innermost were noted first.
    sed -n 's/^folder //p' "$STATE/before/list" | while IFS= read -r path; do rmdir "$ROOT$path" 2>/dev/null; done
  fi
  systemctl daemon-reload
  if [ -s "$ROOT/etc/hostname" ] && [ "$(cat "$ROOT/etc/hostname")" != "$(cat /proc/sys/kernel/hostname)" ] && [ -z "$ROOT" ]; then
    changed
    hostnamectl set-hostname "$(cat /etc/hostname)" 2>/dev/null || cat /etc/hostname >/proc/sys/kernel/hostname
  fi
  uninstall_aside
}

# What could not be made again: nobody wants it in the way, and somebody may want it back.
uninstall_aside() {
  uninstall_put_aside /etc && rm -rf "$ROOT/etc/smtp-setup" && uninstall_put_aside /var/lib/rspamd dkim &&
    rm -rf "$ROOT/var/lib/rspamd/dkim" "$ROOT/var/www/smtp-setup" || return
  rmdir "$ROOT/var/www" 2>/dev/null
  return 0
}

# uninstall_put_aside PARENT [NAME]
uninstall_put_aside() {
  local kept="$STATE/kept/$RUN_ID$1" name="${2-smtp-setup}"
  [ -e "$ROOT$1/$name" ] || return 0
  changed
  if mkdir -p "$kept" && chmod 0700 "$STATE/kept" && cp -a "$ROOT$1/$name" "$kept/"; then return 0; fi
  problem "$1/$name cannot be put aside: $(space_of "$kept")"
  return 1
}

# uninstall_packages: those that came with us and that nothing else needs; those that gave way come back.
uninstall_packages() {
  local ours gone foreign back name
  ours=$(uninstall_named installed present)
  if [ -n "$ours" ]; then
    first_boot_wait && dpkg_lock_wait && dpkg_repair || return
    # shellcheck disable=SC2086 # a list of package names
    apt-mark auto $ours >/dev/null || { problem 'apt-mark refuses'; return 1; }
    gone=$(uninstall_simulate autoremove | while read -r name; do printf '%s\n' "$ours" | grep -xF -e "$name"; done)
    if [ -n "$gone" ]; then
      # shellcheck disable=SC2086
      foreign=$(uninstall_simulate purge $gone | while read -r name; do printf '%s\n' "$ours" | grep -qxF -e "$name" || echo "$name"; done)
      [ -z "$foreign" ] || { problem "apt would remove packages that are not ours: $(one_line "$foreign")"; return 1; }
      changed
      uninstall_note_units "$gone" || return
      progress "Removing $(printf '%s\n' "$gone" | wc -l) packages"
      # shellcheck disable=SC2086
      apt_get -y purge $gone || { problem "apt-get purge failed: $(log_words '^E:\|^dpkg: error')"; return 1; }
    fi
  fi
  uninstall_remains || return
  back=$(uninstall_named removed absent)
  [ -n "$back" ] || return 0
  changed
  progress "Installing again: $(one_line "$back")"
  dpkg_lock_wait || return
  # shellcheck disable=SC2086
  apt_update && apt_get -y install $back || { problem "not installed again: $(one_line "$back")"; return 1; }
}

# uninstall_note_units PACKAGES: what they bring is known only as long as they are there.
uninstall_note_units() {
  # shellcheck disable=SC2086 # a list of package names
  dpkg -L $1 | sed -n -e 's|^.*/systemd/system/\([^/]*\)$|\1|p' -e 's|^/etc/init\.d/\([^/]*\)$|\1.service|p' | sort -u >>"$STATE/before/units" &&
    sync "$STATE/before/units" && return 0
  problem "the units of the packages cannot be noted: $(space_of "$STATE/before/units")"
  return 1
}

# uninstall_remains: what a removal leaves behind: programs that were not stopped, as services may not be touched meanwhile,
# and folders that were not empty yet when their package went. What anybody else brought, before or since, is not looked at.
uninstall_remains() {
  local unit load folder
  if [ -s "$STATE/before/units" ]; then
    systemctl daemon-reload
    systemctl list-units --plain --no-legend --no-pager --state=active --type=service,socket,timer,path 2>/dev/null |
      while read -r unit load _; do
        [ "$load" = not-found ] && grep -qxF -e "$unit" -e "${unit%%@*}@.${unit##*.}" "$STATE/before/units" || continue
        uninstall_was active "$unit" || systemctl stop "$unit"
      done
  fi
  [ -s "$STATE/before/made" ] || return 0
  LC_ALL=C sort -r "$STATE/before/made" | while IFS= read -r folder; do
    [ -n "$(find "$folder" -maxdepth 0 -empty 2>/dev/null)" ] && ! dpkg -S "$folder" >/dev/null 2>&1 && rmdir "$folder"
  done
  return 0
}

uninstall_simulate() {
  apt_get -s -o APT::AutoRemove::RecommendsImportant=false -o APT::AutoRemove::SuggestsImportant=false "$@" |
    sed -n 's/^\(Remv\|Purg\) \([^ :]*\).*/\2/p' | sort -u
}

# uninstall_named LIST present|absent
uninstall_named() {
  local now
  [ -s "$STATE/before/$1" ] || return 0
  now=$(before_packages)
  while read -r name; do
    if printf '%s\n' "$now" | grep -qxF -e "$name"; then
      [ "$2" = absent ] || printf '%s\n' "$name"
    else
      [ "$2" = present ] || printf '%s\n' "$name"
    fi
  done <"$STATE/before/$1"
}

# uninstall_reload UNIT…: what ran before goes on with the files of before.
uninstall_reload() {
  local unit
  for unit; do
    uninstall_was active "$unit" && systemctl is-active --quiet "$unit" || continue
    changed
    systemctl try-reload-or-restart "$unit" || { unit_problem "$unit" reload; return 1; }
  done
}

# uninstall_services UNIT…: what ran before runs, with the files of before; UNITs had files of ours.
uninstall_services() {
  local unit
  uninstall_reload "$@" || return
  [ -e "$STATE/before/active" ] || return 0
  while read -r unit; do
    case $unit in *.service | *.socket | *.timer | *.path) ;; *) continue ;; esac
    systemctl is-active --quiet "$unit" && continue
    # A job of the first boot ran once, and one that was plugged away since is nobody's to start.
    [ "$(systemctl is-enabled "$unit" 2>/dev/null)" = enabled ] || continue
    [ "$(systemctl show -p Type --value "$unit")" != oneshot ] || continue
    changed
    systemctl start "$unit" || { unit_problem "$unit" start; return 1; }
  done <"$STATE/before/active"
}

# uninstall_end: nothing of ours but the record of the runs, and what was put aside.
uninstall_end() {
  changed
  rm -rf "$STATE/before" "$STATE/backups" "$STATE/pending" "$STATE/restore" "$STATE/restored" "$STATE/resolv.conf.before"
  rm -f "$STATE"/saved* "$STATE/manifest.json" && sync "$STATE"
}

# uninstall_path PATH: as it was, if that is known.
uninstall_path() {
  local copy="$STATE/before/tree$1"
  if grep -qsxF "absent $1" "$STATE/before/list"; then
    [ -e "$ROOT$1" ] || [ -L "$ROOT$1" ] || return 0
    changed
    rm -f "$ROOT$1" || { problem "$1 cannot be removed"; return 1; }
    return 0
  fi
  uninstall_known "$1" && { [ -e "$copy" ] || [ -L "$copy" ]; } || return 0
  uninstall_same "$copy" "$ROOT$1" && return 0
  changed
  mkdir -p "$ROOT${1%/*}" && cp -a "$copy" "$(beside "$1")" && mv -fT "$(beside "$1")" "$ROOT$1" ||
    { problem "$1 cannot be put back; its copy is $copy"; return 1; }
}

uninstall_same() {
  if [ -L "$1" ] || [ -L "$2" ]; then
    [ -L "$1" ] && [ -L "$2" ] && [ "$(readlink "$1")" = "$(readlink "$2")" ]
  else
    cmp -s "$1" "$2" && [ "$(stat -c '%a %U:%G' "$1")" = "$(stat -c '%a %U:%G' "$2")" ]
  fi
}

uninstall_known() {
  grep -qsxF -e "file $1" -e "absent $1" "$STATE/before/list"
}

# uninstall_was enabled|active UNIT
uninstall_was() {
  grep -qsxF -e "$2" "$STATE/before/$1"
}
