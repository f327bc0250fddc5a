# File groups: what belongs together is staged, validated, swapped by renames, reloaded, probed; and put back when the
# probe fails. A step reads: group_begin, put/remove/keep…, unit…, the validators, group_swap, group_reload, the probes,
# group_done.

# group_begin NAME
group_begin() {
  GROUP=$1 GROUP_SWAPPED=0
  STAGE=$RUN_DIR/stage/$GROUP
  BACKUP=$STATE/backups/$RUN_ID/$GROUP
  PENDING=$STATE/pending/$GROUP
  GROUP_WORK=$RUN_DIR/stage/.$GROUP
  rm -rf "$STAGE" "$GROUP_WORK"
  mkdir -p "$STAGE" "$GROUP_WORK" "$STATE/pending" "$STATE/backups" || return
  : >"$GROUP_WORK/swap" && : >"$GROUP_WORK/remove" && : >"$GROUP_WORK/units" && : >"$GROUP_WORK/all"
}

# put PATH MODE OWNER EXPECT: EXPECT is the sha256 that the plan saw, or `absent`.
put() {
  local path="$1" mode="$2" owner="$3" expect="$4" new old
  new=$(hash_of "$RUN_DIR/files$path") || return
  stage "$path" "$RUN_DIR/files$path" "$mode" "$owner" || return
  not_through_a_link "$path" || return
  printf '%s %s %s %s\n' "$path" "$new" "$mode" "$owner" >>"$GROUP_WORK/all"
  if [ -e "$ROOT$path" ]; then
    old=$(hash_of "$ROOT$path") || return
    if [ "$old" = "$new" ] && [ "$(stat -c '%04a %U:%G' "$ROOT$path")" = "$mode $owner" ]; then return 0; fi
    [ "$old" = "$new" ] || [ "$old" = "$expect" ] || made_by_this_run "$path" "$expect" || return 6
  fi
  printf '%s\n' "$path" >>"$GROUP_WORK/swap"
}

# keep PATH: the user keeps a file as it is; it is staged so that the set is validated with it.
keep() {
  [ -f "$ROOT$1" ] || return 0
  stage "$1" "$ROOT$1" "$(stat -c %04a "$ROOT$1")" "$(stat -c %U:%G "$ROOT$1")"
}

# remove PATH EXPECT: a file that we wrote once and that is no longer part of the set.
remove() {
  not_through_a_link "$1" || return
  [ -e "$ROOT$1" ] && [ "$(hash_of "$ROOT$1")" != "$2" ] && {
    problem "$1 was changed since the plan was made; nothing of $GROUP was touched"
    return 6
  }
  printf '%s\n' "$1" >>"$GROUP_WORK/remove"
}

# unit NAME reload|restart: how the set reaches its daemon.
unit() {
  local state=stopped
  systemctl is-active --quiet "$1" && state=active
  printf '%s %s %s\n' "$1" "$2" "$state" >>"$GROUP_WORK/units"
}

group_swap() {
  local path
  # An earlier run died between the swap and the probe: its files are in place, unproven.
  [ -e "$PENDING" ] && { changed; GROUP_SWAPPED=1; }
  if [ -s "$GROUP_WORK/swap" ] || [ -s "$GROUP_WORK/remove" ]; then
    progress "Writing the files of $GROUP"
    group_backup || return
    # First every copy (a full disk shows here, with nothing changed), then the renames.
    while IFS= read -r path; do
      copy_beside "$path" || { remove_copies; problem "$path cannot be written: $(space_of "$ROOT$path")"; return 1; }
    done <"$GROUP_WORK/swap"
    printf '%s\n' "$BACKUP" >>"$PENDING" && sync "$PENDING" "$STATE/pending" || return
    changed
    GROUP_SWAPPED=1
    while IFS= read -r path; do
      mv -fT "$(beside "$path")" "$ROOT$path" || { remove_copies; problem "$path cannot be replaced"; return 1; }
    done <"$GROUP_WORK/swap"
    while IFS= read -r path; do
      rm -f "$ROOT$path" || { problem "$path cannot be removed"; return 1; }
    done <"$GROUP_WORK/remove"
    sort -u "$GROUP_WORK/swap" "$GROUP_WORK/remove" | while IFS= read -r path; do sync "$ROOT${path%/*}"; done
    systemd_reload_for "$GROUP_WORK/swap" "$GROUP_WORK/remove"
  fi
  return 0
}

group_reload() {
  local name how state
  while read -r name how state; do
    unit_enable "$name" || return
    if ! systemctl is-active --quiet "$name"; then
      unit_start "$name" || return
    elif [ "$GROUP_SWAPPED" = 1 ]; then
      progress "$name: $how"
      changed
      systemctl "$how" "$name" || { unit_problem "$name" "$how"; return 1; }
    fi
  done <"$GROUP_WORK/units"
}

group_done() {
  manifest_alone group_record || return
  GROUP_SWAPPED=0
  rm -f "$PENDING"
  GROUP='' STAGE=''
}

group_record() {
  local path new mode owner
  while read -r path new mode owner; do manifest_add "$path" "$new" "$mode" "$owner" "$GROUP"; done <"$GROUP_WORK/all"
  while IFS= read -r path; do manifest_remove "$path"; done <"$GROUP_WORK/remove"
  manifest_write
}

# group_restore: the old set back, the daemons as they were. What fails here is said and does not stop the rest.
group_restore() {
  local backup kind path name how state
  progress "Putting the old files of $GROUP back"
  [ -e "$PENDING" ] && tac "$PENDING" | while IFS= read -r backup; do
    while read -r kind path; do
      if [ "$kind" = absent ]; then
        rm -f "$ROOT$path"
      else
        cp -a "$backup/tree$path" "$(beside "$path")" && mv -fT "$(beside "$path")" "$ROOT$path"
      fi || progress "$path could not be put back; its copy is $backup/tree$path"
    done <"$backup/list"
    systemd_reload_for "$backup/list"
  done
  while read -r name how state; do
    if [ "$state" = active ]; then
      systemctl "$how" "$name" || systemctl restart "$name" || progress "$name did not come back"
    else
      systemctl stop "$name"
    fi
  done <"$GROUP_WORK/units"
  rm -f "$PENDING"
  GROUP_SWAPPED=0
}

group_backup() {
  local path
  # Which command it was of has to be known as long as the copies are (src/facts/last-backup.ts). Another group may write
  # the same at this moment.
  mkdir -p "$BACKUP/tree" &&
    { [ ! -e "$RUN_DIR/meta" ] || { cp "$RUN_DIR/meta" "$BACKUP/meta" && mv -fT "$BACKUP/meta" "${BACKUP%/*}/meta"; }; } || return
  sort -u "$GROUP_WORK/swap" "$GROUP_WORK/remove" | {
    while IFS= read -r path; do
      before_keep "$path" || exit 1
      if [ -e "$ROOT$path" ] && ! grep -qsxF "$path" "$RUN_DIR/placeholders"; then
        mkdir -p "$BACKUP/tree${path%/*}" && cp -a "$ROOT$path" "$BACKUP/tree$path" && printf 'file %s\n' "$path"
      else
        printf 'absent %s\n' "$path"
      fi || exit 1
    done
  } >"$BACKUP/list" && find "$BACKUP" -exec sync {} + && return 0
  problem "no backup could be written: $(space_of "$BACKUP")"
  return 1
}

# stage PATH SOURCE MODE OWNER
stage() {
  mkdir -p "$STAGE${1%/*}" && cp -f "$2" "$STAGE$1" && chown "$4" "$STAGE$1" && chmod "$3" "$STAGE$1" && return 0
  problem "$1 cannot be staged ($4, $3)"
  return 1
}

beside() {
  printf '%s/.smtp-setup.%s' "$ROOT${1%/*}" "${1##*/}"
}

copy_beside() {
  local parent="$ROOT${1%/*}" copy
  copy=$(beside "$1")
  [ -d "$parent" ] || (umask 022 && mkdir -p "$parent") || return
  rm -f "$copy"
  cp -a "$STAGE$1" "$copy" && sync "$copy"
}

remove_copies() {
  local path
  while IFS= read -r path; do rm -f "$(beside "$path")"; done <"$GROUP_WORK/swap"
}

# A package that this run installed may have brought its default; anything else that appeared is somebody's work.
made_by_this_run() {
  [ "$2" = absent ] && [ -e "$RUN_DIR/packages-installed" ] && return 0
  problem "$1 was changed since the plan was made; nothing of $GROUP was touched"
  return 1
}

not_through_a_link() {
  local path="$1"
  while [ -n "$path" ]; do
    if [ -L "$ROOT$path" ]; then
      problem "$1 is reached through the symbolic link $path, which is not followed"
      return 1
    fi
    path=${path%/*}
  done
}

hash_of() {
  local line
  line=$(sha256sum "$1") && printf '%s' "${line%% *}"
}

space_of() {
  df -hP "${1%/*}/" 2>/dev/null | tail -n 1 | { read -r _ size _ free _ mount; echo "$free of $size free on $mount"; }
}

# A changed unit file or drop-in is unknown to systemd until it has read it.
systemd_reload_for() {
  grep -qs '/etc/systemd/' "$@" && systemctl daemon-reload
  return 0
}
