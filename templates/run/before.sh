# What the server was like before smtp-setup came, for `uninstall`: $STATE/before/list has `file PATH` or `absent PATH` for
# everything that was ever written over and `folder PATH` for what had to be made for it, tree/ the copies, `enabled` and `active` the units, `installed` the packages that
# came with us and `removed` those that gave way, `made` the folders of /etc that came with packages. Unlike backups/ it
# holds the first copies, and is never pruned.

# before_begin: on the very first run only. What a server was that an earlier version set up is not known any more.
before_begin() {
  local store="$STATE/before"
  if [ -d "$store" ] || [ "$RUN_GENERATION" != 0 ] || [ -e "$ROOT/etc/smtp-setup" ]; then return 0; fi
  rm -rf "$store.new"
  mkdir -p "$store.new/tree" && : >"$store.new/list" && : >"$store.new/installed" && : >"$store.new/removed" || return
  before_enabled >"$store.new/enabled"
  systemctl list-units --plain --no-legend --no-pager --state=active --type=service,socket,timer,path 2>/dev/null |
    while read -r unit _; do printf '%s\n' "$unit"; done >"$store.new/active"
  find "$store.new" -exec sync {} + && mv -T "$store.new" "$store"
}

# before_enabled: what somebody or a package enabled, by its links: systemd would need a second to say the same.
before_enabled() {
  local units="$ROOT/etc/systemd/system"
  find "$units" -type l \( -path '*.wants/*' -o -path '*.requires/*' \) -printf '%f\n' 2>/dev/null
  find "$units" -maxdepth 1 -type l -printf '%l\n' 2>/dev/null | sed 's|.*/||'
}

# before_keep PATH: it is about to be written, or removed.
before_keep() {
  local store="$STATE/before" kind=absent folder="${1%/*}"
  [ -d "$store" ] || return 0
  grep -qxF -e "file $1" -e "absent $1" "$store/list" && return 0
  if [ -e "$ROOT$1" ] || [ -L "$ROOT$1" ]; then
    kind='file'
    mkdir -p "$store/tree${1%/*}" && rm -rf "$store/tree$1" && cp -a "$ROOT$1" "$store/tree$1" ||
      { problem "no copy of $1 can be kept: $(space_of "$store/list")"; return 1; }
    [ -L "$store/tree$1" ] || sync "$store/tree$1"
  fi
  while [ -n "$folder" ] && [ ! -d "$ROOT$folder" ]; do
    printf 'folder %s\n' "$folder"
    folder=${folder%/*}
  done >>"$store/list"
  printf '%s %s\n' "$kind" "$1" >>"$store/list" && sync "$store/list"
}

# before_packages_begin, before_packages_end: around an installation. One that was cut is counted from where it began.
before_packages_begin() {
  local store="$STATE/before" path
  [ ! -d "$store" ] || [ -e "$store/packages" ] && return 0
  # The packages or their programs make these, and leave them behind.
  for path in /etc/aliases /var/www/html/index.nginx-debian.html /var/lib/dovecot/instances /var/lib/letsencrypt/.certbot.lock \
    /var/lib/systemd/timers/stamp-certbot.timer; do
    before_keep "$path" || return
  done
  before_folders >"$store/etc.new" && durable "$store/etc.new" "$store/etc" && before_packages >"$store/packages.new" && durable "$store/packages.new" "$store/packages"
}

before_packages_end() {
  local store="$STATE/before"
  [ -e "$store/packages" ] || return 0
  before_packages >"$store/packages.now" && before_folders >"$store/etc.now" || return
  { cat "$store/installed"; comm -13 "$store/packages" "$store/packages.now"; } | sort -u >"$store/installed.new" &&
    { cat "$store/removed"; comm -23 "$store/packages" "$store/packages.now"; } | sort -u >"$store/removed.new" &&
    { [ ! -e "$store/made" ] || cat "$store/made"; LC_ALL=C comm -13 "$store/etc" "$store/etc.now"; } | LC_ALL=C sort -u >"$store/made.new" &&
    durable "$store/installed.new" "$store/installed" && durable "$store/removed.new" "$store/removed" &&
    durable "$store/made.new" "$store/made" && rm -f "$store/packages" "$store/packages.now" "$store/etc" "$store/etc.now"
}

before_folders() {
  find "$ROOT/etc" -type d | LC_ALL=C sort
}

before_packages() {
  # shellcheck disable=SC2016 # dpkg-query's own placeholders
  dpkg-query -W -f '${db:Status-Abbrev}|${Package}\n' | sed -n 's/^.i.*|//p' | LC_ALL=C sort -u
}
