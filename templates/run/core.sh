# The run library: what the numbered steps of a run may call. Debian's /bin/sh (POSIX and `local`, Debian Policy 10.4).
#
# Contract for every function that a step calls (all templates/run/*.sh):
# - It looks first and does nothing when its work is done; it calls `changed` when it did something.
# - It returns 0, or says why with `problem "…"` and returns 1 (6: somebody else changed the server since the plan;
#   130: it waited, and was told to stop).
#   Steps run it as `call FUNCTION …`, where `set -e` has no effect: end each command that may fail with `|| return`.
# - `progress "…"` is the live line. Output goes to the run's log; a secret must never be printed.
# - $SECRETS/NAME holds a secret, $STAGE the staged tree of the group, $RUN_DIR the run, $STATE our state directory.
# - Paths on the server are "$ROOT/etc/…": $ROOT is empty, but for tests.

STATE=${SMTP_SETUP_STATE:-/var/lib/smtp-setup}
RUNTIME=${SMTP_SETUP_RUNTIME:-/run/smtp-setup}
ROOT=${SMTP_SETUP_ROOT:-}
SCHEMA=1
UNIT=smtp-setup-run.service
BACKUPS_KEPT=10
RUNS_KEPT=50

# run_begin ID NAME GENERATION STEPS: GENERATION is the one that the plan was made on.
run_begin() {
  RUN_ID=$1 RUN_NAME=$2 RUN_GENERATION=$3 RUN_STEPS=$4
  SECRETS=$RUNTIME/$RUN_ID/secrets
  EVENTS=$RUN_DIR/events
  STEP=0 STEP_ID='' STEP_CHANGED=0 RUN_CHANGED=0 PROBLEM='' FINISHED=0
  GROUP='' GROUP_SWAPPED=0 STAGE=''
  ASIDE=0 ASIDE_ALL='' MAY_FAIL=0
  umask 077
  cd / || exit 1
  mkdir -p "$RUN_DIR/ended"
  # A full disk must keep neither the result from being written nor the ends of steps, for which others wait.
  head -c 65536 /dev/zero >"$RUN_DIR/ballast" 2>/dev/null
  # Poweroff and `systemctl kill`: the step that runs is finished, then the run stops.
  trap ': >"$RUN_DIR/stop"; wake' TERM INT HUP
  trap 'run_ended_early' EXIT
  event begin "$RUN_NAME" "$RUN_STEPS"
  manifest_check || finish $? "$PROBLEM"
  services_snapshot
  before_begin || finish 1 "what the server is like cannot be noted: $(space_of "$STATE/before")"
  RUN_GENERATION=$((RUN_GENERATION + 1))
  : >"$RUN_DIR/manifest.add"
  : >"$RUN_DIR/manifest.remove"
  manifest_write || finish 1 "the manifest cannot be written: $(space_of "$STATE/manifest.json")"
}

# step NUMBER ID TITLE
step() {
  if stopping; then
    [ "$ASIDE" = 0 ] || exit 0
    finish 130 'stopped before the next step, as asked'
  fi
  STEP=$1 STEP_ID=$2 STEP_CHANGED=0 PROBLEM=''
  event step "$STEP" "$STEP_ID" "$3"
}

# call FUNCTION [ARGUMENT…]
call() {
  "$@" && return 0
  local code=$?
  [ -n "$PROBLEM" ] || problem "$1 failed (status $code)"
  if [ "$GROUP_SWAPPED" = 1 ]; then
    local why="$PROBLEM"
    group_restore
    PROBLEM=$why
  fi
  case $code in
    6) ;;
    130) stopping || code=1 ;;
    *) code=1 ;;
  esac
  # To stop where it was only waiting is no failure.
  [ "$code" = 130 ] || event failed "$STEP" "$PROBLEM"
  [ "$ASIDE" = 0 ] || leave_aside $((MAY_FAIL && code != 130 ? 0 : code))
  finish "$code" "$PROBLEM"
}

step_done() {
  event 'done' "$STEP" "$STEP_CHANGED"
  [ "$ASIDE" = 0 ] || leave_aside 0
}

run_end() {
  together
  finish 0 ''
}

# Steps beside each other. The script runs each in a subshell, which waits for the steps that it needs:
#   (
#   after 2 5
#   step 7 …
#   step_done
#   ) & aside 7
# When one fails, those that run are finished, and none begins any more. `together` is where the script waits for all.
#
# after [NUMBER…]: begins a subshell's step once these are done.
after() {
  local number
  ASIDE=1
  for number; do await step_over "$number"; done
  [ ! -e "$RUN_DIR/failed" ] && ! stopping || exit 0
}

# await_proof COMPONENT…: in the middle of a step, until their steps are over too, well or not. None of them begins any more
# when the run ends early; what comes then shows what is missing.
await_proof() {
  local name number
  for name; do
    number=$(sed -n "s/^step \([0-9]*\) '\{0,1\}\(files\|units\)-$name'\{0,1\} .*/\1/p" "$RUN_DIR/script" | head -n 1)
    [ -z "$number" ] || await proof_over "$number"
  done
}

step_over() {
  [ -e "$RUN_DIR/ended/$1" ] || [ -e "$RUN_DIR/failed" ] || stopping
}

proof_over() {
  [ -e "$RUN_DIR/ended/$1" ] || grep -q "	\(done\|failed\)	$1	" "$EVENTS" ||
    { step_over "$1" && ! grep -q "	step	$1	" "$EVENTS"; }
}

# await COMMAND [ARGUMENT…]: until it succeeds; it is asked again whenever a step has ended. Two dozen steps that look by the
# clock would take a quarter of a small server from the one that they wait for.
await() {
  # What was begun before is another one for each subshell.
  local pipe="$RUN_DIR/ended/awaits-${ASIDE_ALL##* }"
  "$@" && return
  if [ -p "$pipe" ] || mkfifo "$pipe"; then exec 8<>"$pipe"; else exec 8</dev/null; fi
  until "$@"; do read -r _ <&8 || sleep 0.3; done
  exec 8<&-
}

# wake: those that wait look again. Whoever is about to wait opens its pipe first, and then looks.
wake() {
  local pipe
  for pipe in "$RUN_DIR"/ended/awaits-*; do
    [ ! -p "$pipe" ] || echo 1<>"$pipe"
  done
}

# may_fail: the failure of this step is told and ends nothing but the step.
may_fail() {
  MAY_FAIL=1
}

# aside NUMBER: remembers the subshell that was just begun.
aside() {
  ASIDE_ALL="$ASIDE_ALL $1:$!"
}

# leave_aside CODE: the end of a subshell's step; the first failure is the run's.
leave_aside() {
  plain "$PROBLEM"
  mark_end "$1" || { rm -f "$RUN_DIR/ballast"; mark_end "$1"; } || [ -e "$RUN_DIR/failed" ] || : >"$RUN_DIR/failed"
  wake
  exit 0
}

# mark_end CODE: what the others wait for. An empty `failed` says the same where the disk has no room for words.
mark_end() {
  if [ "$1" != 0 ] && [ "$1" != 130 ] && [ ! -e "$RUN_DIR/failed" ]; then
    printf '%s %s %s %s\n' "$1" "$STEP" "$STEP_ID" "$PLAIN" >"$RUN_DIR/failed.$STEP" || return
    ln -n "$RUN_DIR/failed.$STEP" "$RUN_DIR/failed" || [ -e "$RUN_DIR/failed" ] || return
  fi
  printf '%s %s\n' "$1" "$STEP_CHANGED" >"$RUN_DIR/ended/.$STEP" && mv -f "$RUN_DIR/ended/.$STEP" "$RUN_DIR/ended/$STEP"
}

# together: waits for all steps that run aside, and ends the run when one of them failed.
together() {
  local one number pid code said changed missed=0
  for one in $ASIDE_ALL; do
    number=${one%%:*} pid=${one#*:}
    wait "$pid"
    # A signal ends `wait`, not the child.
    while kill -0 "$pid" 2>/dev/null; do wait "$pid"; done
    if [ -e "$RUN_DIR/ended/$number" ]; then
      read -r code changed <"$RUN_DIR/ended/$number"
      [ "$changed" = 0 ] || RUN_CHANGED=1
      [ "$code" != 130 ] || missed=1
    elif [ -e "$RUN_DIR/failed" ] || stopping; then
      missed=1
    else
      STEP=$number STEP_ID=unknown PROBLEM='the step ended unexpectedly'
      event failed "$STEP" "$PROBLEM"
      (leave_aside 1)
    fi
  done
  ASIDE_ALL=''
  if [ -e "$RUN_DIR/failed" ]; then
    read -r code STEP STEP_ID said <"$RUN_DIR/failed" ||
      { code=1 STEP=0 STEP_ID=''; said="no room to note how a step ended: $(space_of "$RUN_DIR/failed")"; }
    finish "$code" "$said"
  fi
  [ "$missed" = 0 ] || finish 130 'stopped before the next step, as asked'
}

# stopping: somebody asked the run to stop.
stopping() {
  [ -e "$RUN_DIR/stop" ]
}

# changed: the step did something; `done` events say so.
changed() {
  STEP_CHANGED=1 RUN_CHANGED=1
}

# progress TEXT: what is going on right now.
progress() {
  event progress "$STEP" "$*"
  printf '%s\n' "$*"
}

# problem TEXT: the reason, for the user, of the failure that the caller is about to return.
problem() {
  PROBLEM=$*
  printf 'problem: %s\n' "$*"
}

# event KIND FIELD…: one line, tab-separated, in one write. Must never end the run, whatever the disk says.
event() {
  local line kind="$1" field
  line="$(date +%s)	$kind"
  shift
  for field; do
    plain "$field"
    line="$line	$PLAIN"
  done
  printf '%s\n' "$line" 2>/dev/null >>"$EVENTS" || {
    rm -f "$RUN_DIR/ballast"
    printf '%s\n' "$line" 2>/dev/null >>"$EVENTS"
  }
  [ "$kind" = progress ] || sync "$EVENTS" 2>/dev/null
  return 0
}

# plain TEXT: $PLAIN is one line of printable text, at most 2000 bytes. No process is started for what is plain already.
plain() {
  PLAIN=$1
  case $1 in
    *[!\ -~]*) PLAIN=$(printf '%s' "$1" | tr '\000-\037\177' ' ') ;;
  esac
  [ ${#PLAIN} -le 2000 ] || PLAIN=$(printf '%.2000s' "$PLAIN")
}

# one_line TEXT: several lines as one, for a problem.
one_line() {
  printf '%s' "$1" | tr '\n' ' ' | head -c 600
}

# finish CODE MESSAGE: the result is the only thing that counts as the run's end.
finish() {
  local code="$1" message
  plain "$2"
  message=$PLAIN
  FINISHED=1
  event end "$code" "$message"
  # systemd keeps the folder itself, as a mount, until the unit has ended.
  find "$RUNTIME/${RUN_ID:?}" -mindepth 1 -delete 2>/dev/null && rmdir "$RUNTIME/$RUN_ID" 2>/dev/null
  rm -rf "$RUN_DIR/stage" "$RUN_DIR/manifest.add" "$RUN_DIR/manifest.remove" \
    "$RUN_DIR/ended" "$RUN_DIR/stop" "$RUN_DIR/manifest.lock" "$RUN_DIR/strangers" "$RUN_DIR"/failed*
  rm -f "$RUN_DIR/ballast"
  {
    printf 'run=%s\ncode=%s\n' "$RUN_NAME" "$code"
    printf 'generation=%s\nchanged=%s\n' "$(manifest_generation)" "$RUN_CHANGED"
    printf 'step=%s\nstep_id=%s\n' "$STEP" "$STEP_ID"
    printf 'boot=%s\n' "$(cat /proc/sys/kernel/random/boot_id)"
    printf 'finished=%s\nmessage=%s\n' "$(date +%s)" "$message"
  } >"$RUN_DIR/result.new" && durable "$RUN_DIR/result.new" "$RUN_DIR/result"
  prune "$STATE/backups" "$BACKUPS_KEPT"
  prune "$STATE/runs" "$RUNS_KEPT"
  exit "$code"
}

run_ended_early() {
  local code=$?
  [ "$FINISHED" = 1 ] && exit "$code"
  finish 1 "the script ended unexpectedly (status $code)"
}

# durable FROM TO: both in one directory; after it, a power cut finds either the old file or the new one, whole.
durable() {
  sync "$1" && mv -fT "$1" "$2" && sync "${2%/*}"
}

# prune DIRECTORY COUNT: names begin with a time, so the oldest come first; but that is the client's clock, and this run's
# own stay whatever it says.
prune() {
  [ -d "$1" ] || return 0
  # shellcheck disable=SC2012 # names are run ids
  ls -1 "$1" | head -n "-$2" | while IFS= read -r old; do [ "$old" = "$RUN_ID" ] || rm -rf "${1:?}/$old"; done
}

# services_snapshot: policy-rc.d allows maintainer scripts to restart what runs now, and nothing else.
services_snapshot() {
  mkdir -p "$RUNTIME" &&
    systemctl list-units --type=service --state=active --plain --no-legend 2>/dev/null |
    while read -r unit _; do printf '%s\n' "$unit"; done >"$RUNTIME/active-services"
  return 0
}
