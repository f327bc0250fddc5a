# Runs as root with a tar archive on standard input: run/… is the run directory, secrets/… goes nowhere but to tmpfs.
# Arguments: the run's id; 1 when it installs packages. Answers one line: @started, @busy ID, or @failed and why.
set -u
umask 077
export PATH="${SMTP_SETUP_PATH:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}" LC_ALL=C
id=$1 installs=$2
unit=smtp-setup-run.service
state=${SMTP_SETUP_STATE:-/var/lib/smtp-setup}
runtime=${SMTP_SETUP_RUNTIME:-/run/smtp-setup}
run=$state/runs/$id

answer() {
  cat >/dev/null
  printf '\n@%s\n' "$*"
  exit 0
}

failed() {
  rm -rf "${runtime:?}/$id" "$run.new"
  answer "failed $(printf '%s' "$*" | tr '\n' ' ' | head -c 1000)"
}

holder() {
  tries=0
  while :; do
    case $(systemctl show -p ActiveState --value "$unit") in active | activating | deactivating) ;; *) return ;; esac
    name=$(systemctl show -p Description --value "$unit" | sed 's/^smtp-setup run //')
    # A run whose result is written is over, and one without a name is gone; a busy machine takes its time to clean up.
    if [ "$tries" -lt 300 ] && { [ "$name" = "$unit" ] || [ -e "$state/runs/$name/result" ]; }; then
      tries=$((tries + 1))
      sleep 0.1
      continue
    fi
    printf '%s\n' "$name"
    return
  done
}

mkdir -p "$runtime"
exec 9>"$runtime/lock"
flock -w 60 9 || failed 'another client is starting a run'

# A start whose answer was lost with the connection is asked for again.
[ -e "$run/started" ] && answer started
current=$(holder)
[ -z "$current" ] || answer "busy $current"

# What runs that were killed left behind. checks/ belongs to checks that go on beside this run (check-login.sh).
for left in "${runtime:?}"/*/ "$state"/runs/*.new; do
  case $left in */checks/) ;; *) rm -rf "$left" ;; esac
done
find "${SMTP_SETUP_ROOT:-}/usr/sbin/policy-rc.d" -type f -empty -delete 2>/dev/null
mkdir -p "$state/runs" "$state/backups" "$state/pending" "$runtime" || failed "no directory in $state: $(df -hP "$state" | tail -n 1)"
chmod 700 "$state" "$state/runs" "$state/backups" "$runtime"

# Whoever starts a run is not shut out while it goes on (templates/fail2ban/jail.eta). sudo keeps to itself where the login
# came from; the processes above know.
note_operator() {
  pid=$$
  while [ "${pid:-0}" -gt 1 ]; do
    from=$(tr '\000' '\n' 2>/dev/null <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=\([0-9A-Fa-f.:]*\) .*/\1/p')
    [ -z "$from" ] || { printf '%s\n' "$from" >"$runtime/operator"; return; }
    pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
  done
}
note_operator

why=$(mkdir "$runtime/$id" 2>&1 && tar -xmf - -C "$runtime/$id" --no-same-owner 2>&1) || failed "the upload cannot be unpacked: $why"
# tar is content with an archive that was cut between two members.
[ -e "$runtime/$id/complete" ] || failed 'the upload was cut'
why=$(cp -a "$runtime/$id/run" "$run.new" 2>&1 && printf 'since=%s\n' "$(date +%s)" >>"$run.new/meta" &&
  rm -rf "$runtime/$id/run" && find "$run.new" -exec sync {} + && mv -T "$run.new" "$run" 2>&1) || failed "$why"

# The directory with the secrets is systemd's to remove too: a newer one (257), asked to kill the unit, kills ExecStopPost
# with it.
set -- StandardOutput="append:$run/log" StandardError="append:$run/log" UMask=0077 KillMode=mixed TimeoutStopSec=15min \
  RefuseManualStop=yes OOMPolicy=continue RuntimeMaxSec=3h "RuntimeDirectory=smtp-setup/$id" RuntimeDirectoryMode=0700 \
  "ExecStopPost=/bin/sh $run/lib/stop-post.sh $runtime/$id"
[ "$installs" = 1 ] && set -- "$@" "BindReadOnlyPaths=$run/lib/policy-rc.d:/usr/sbin/policy-rc.d"

start() {
  for property; do
    shift
    set -- "$@" -p "$property"
  done
  systemd-run --quiet --unit="$unit" --description="smtp-setup run $id" --collect --service-type=exec "$@" \
    --setenv=HOME=/root --setenv=PATH="$PATH" --setenv=LC_ALL=C.UTF-8 /bin/sh "$run/script" 2>&1
}

: >"$run/started"
before=$#
until why=$(start "$@"); do
  current=$(holder)
  # systemd was late with its answer, and did what it was asked to; the run may be over by now.
  if [ "$current" = "$id" ] || [ -e "$run/events" ]; then answer started; fi
  [ -z "$current" ] || { rm -rf "${runtime:?}/$id" "$run"; answer "busy $current"; }
  # An older systemd does not know every property as a transient one: go without those that only make it safer.
  unknown=$(printf '%s\n' "$why" | sed -n 's/^.*\(Unknown assignment: \|Cannot set property \)\([A-Za-z]*\).*/\2/p' | head -n 1)
  kept=0
  for property; do
    shift
    case $property in
      "$unknown="*)
        case $unknown in ExecStopPost | BindReadOnlyPaths) rm -rf "$run"; failed "systemd-run: $why" ;; esac
        ;;
      *) set -- "$@" "$property"; kept=$((kept + 1)) ;;
    esac
  done
  [ "$kept" -lt "$before" ] || { rm -rf "$run"; failed "systemd-run: $why"; }
  before=$kept
done
answer started
