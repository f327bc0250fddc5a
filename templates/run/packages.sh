# Packages: nothing is removed that is not ours to remove, no question is asked, no lock is broken.

LOCK_PATIENCE=${SMTP_SETUP_LOCK_PATIENCE:-900}
# What a mail server replaces by its nature: Debian's stock MTAs, which conflict with Postfix.
REPLACEABLE='exim4 exim4-base exim4-config exim4-daemon-light exim4-daemon-heavy bsd-mailx-exim4 nullmailer msmtp-mta ssmtp dma citadel-server opensmtpd courier-mta sendmail sendmail-bin sendmail-cf sendmail-base sensible-mda rmail'

apt_get() {
  env LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l NEEDRESTART_SUSPEND=1 \
    APT_LISTCHANGES_FRONTEND=none UCF_FORCE_CONFFOLD=1 \
    apt-get -q -o APT::Install-Recommends=false -o APT::Install-Suggests=false -o DPkg::Lock::Timeout=60 \
    -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -o Acquire::Retries=3 "$@" </dev/null
}

# packages_fetch NAME…: everything that several steps install is judged and downloaded as one.
packages_fetch() {
  local missing try=1 keep=--no-remove
  missing=$(packages_missing "$@")
  [ -n "$missing" ] || return 0
  packages_lists || return
  progress 'Downloading the packages'
  while :; do
    dpkg_lock_wait || return
    # shellcheck disable=SC2086 # a list of package names
    ! packages_download $keep $missing || break
    # apt says why it cannot, or what would have to give way.
    # shellcheck disable=SC2086
    packages_simulate $missing || return
    if [ "$ADDED" = 0 ] && [ -n "$keep" ]; then
      keep=''
      continue
    fi
    [ "$try" -lt 3 ] || { problem "the packages cannot be downloaded: $(log_words '^E:')"; return 1; }
    progress "The download stopped; try $((try + 1)) of 3"
    sleep $((try * 2))
    dpkg_lock_wait || return
    apt_update
    try=$((try + 1))
  done
  # Where something is replaced, each step is judged by itself again.
  [ "$ADDED" = 0 ] || : >"$RUN_DIR/packages-fetched"
}

# packages_download [OPTION…] NAME…: $ADDED is 1 when apt will only add packages.
packages_download() {
  { apt_get -y install --download-only "$@"; printf 'status=%s\n' "$?"; } 2>&1 | tee "$RUN_DIR/download" | sed -u '/^status=[0-9]*$/d'
  grep -qx 'status=0' "$RUN_DIR/download" || return
  ADDED=0
  ! grep -q '^0 upgraded, [0-9]* newly installed, 0 to remove' "$RUN_DIR/download" || ADDED=1
  rm -f "$RUN_DIR/download"
}

# packages_install NAME…
packages_install() {
  local missing try=1 keep=''
  missing=$(packages_missing "$@")
  [ -n "$missing" ] || return 0
  if [ -e "$RUN_DIR/packages-fetched" ]; then
    ADDED=1 keep=--no-remove
  else
    # shellcheck disable=SC2086 # a list of package names
    packages_judge $missing || return
  fi
  before_packages_begin || return
  : >"$RUN_DIR/packages-installed"
  changed
  # What is only added has nothing to restart: systemd reads all new units once at the end, not after each package.
  while :; do
    dpkg_lock_wait || return
    # shellcheck disable=SC2086
    ! SYSTEMD_OFFLINE=$ADDED apt_get -y install $keep $missing || break
    [ "$try" -lt 3 ] || { problem "apt-get install failed: $(log_words '^E:\|^dpkg: error')"; return 1; }
    progress "The installation stopped; repairing, try $((try + 1)) of 3"
    sleep $((try * 2))
    dpkg_lock_wait && dpkg_repair || return
    apt_update
    try=$((try + 1))
  done
  postfix_placeholder || return
  [ "$ADDED" = 0 ] || systemctl daemon-reload || { problem 'systemd could not read the new units'; return 1; }
  missing=$(packages_missing "$@")
  [ -z "$missing" ] || { problem "not installed after all: $(one_line "$missing")"; return 1; }
  before_packages_end
}

# packages_judge NAME…: fetches the lists and asks apt what it would do.
packages_judge() {
  packages_lists && packages_simulate "$@"
}

packages_lists() {
  local try=1
  first_boot_wait || return
  dpkg_lock_wait || return
  dpkg_repair || return
  preseed || return
  while :; do
    dpkg_lock_wait || return
    ! apt_update || break
    [ "$try" -lt 5 ] || { problem "the package lists cannot be fetched: $(log_words '^E:')"; return 1; }
    progress "The package lists cannot be fetched now; try $((try + 1)) of 5"
    sleep $((try * 3))
    try=$((try + 1))
  done
}

# packages_simulate NAME…: $ADDED is 1 when apt would only add packages; others than ours may not go.
packages_simulate() {
  local simulation removed
  simulation=$(apt_get -s install "$@" 2>&1) || {
    problem "apt cannot install $*: $(one_line "$(printf '%s\n' "$simulation" | grep '^E:\|^ ')")"
    return 1
  }
  removed=$(printf '%s\n' "$simulation" | sed -n 's/^Remv \([^ ]*\).*/\1/p' | foreign_only)
  [ -z "$removed" ] || {
    problem "apt would remove packages that are not ours: $(one_line "$removed")"
    return 1
  }
  ADDED=1
  printf '%s\n' "$simulation" | grep -q '^Inst [^ ]* \[\|^Remv ' && ADDED=0
  progress "Downloading and unpacking $(printf '%s\n' "$simulation" | grep -c '^Inst ') packages"
}

packages_missing() {
  local name
  for name; do
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null) in
      ?i\ *) ;;
      *) printf '%s\n' "$name" ;;
    esac
  done
}

# apt's own lock time-out does not cover the lists, so this is called in a loop, behind dpkg_lock_wait.
apt_update() {
  progress 'Fetching the package lists'
  # Descriptions in other languages are a third of the lists, and nobody reads them here.
  apt_get -o APT::Update::Error-Mode=any -o Acquire::Languages=none update
}

# Maintainer scripts must not ask, nor write a main.cf of their own.
preseed() {
  local try=1
  [ -e "$ROOT/etc/postfix/main.cf" ] && return 0
  # debconf waits for nobody, and somebody else's installation may have begun since.
  until printf 'postfix postfix/main_mailer_type select No configuration\n' | debconf-set-selections; do
    [ "$try" -lt 5 ] || { problem "debconf takes no answer: $(log_words '^debconf: ')"; return 1; }
    sleep $((try * 2))
    try=$((try + 1))
    dpkg_lock_wait || return
  done
}

# postfix_placeholder: Postfix without a main.cf makes each of its programs wait a second before it fails, and on older
# releases systemd runs one at every daemon-reload. Nothing listens with this one, should the server be rebooted now.
postfix_placeholder() {
  local file=/etc/postfix/main.cf
  [ -e "$ROOT/etc/postfix/master.cf" ] && [ ! -e "$ROOT$file" ] || return 0
  before_keep "$file" || return
  printf '%s\n' '# Managed by smtp-setup, until it writes the real one.' 'compatibility_level = 3.6' \
    'inet_interfaces = loopback-only' 'master_service_disable = inet' >"$ROOT$file.new" &&
    chmod 0644 "$ROOT$file.new" && touch -d '10 seconds ago' "$ROOT$file.new" || return
  printf '%s\n' "$file" >>"$RUN_DIR/placeholders"
  manifest_record "$file" "$(hash_of "$ROOT$file.new")" 0644 root:root postfix && durable "$ROOT$file.new" "$ROOT$file"
}

dpkg_repair() {
  local try=1
  [ -z "$(dpkg --audit)" ] && [ -z "$(ls -A "$ROOT/var/lib/dpkg/updates" 2>/dev/null)" ] && return 0
  progress 'Finishing an installation that was interrupted earlier'
  changed
  until env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 UCF_FORCE_CONFFOLD=1 \
    dpkg --force-confdef --force-confold --configure -a </dev/null && apt_get -y -f install; do
    [ "$try" -lt 3 ] || { problem "dpkg cannot be repaired: $(log_words '^E:\|^dpkg: error')"; return 1; }
    try=$((try + 1))
    dpkg_lock_wait || return
    apt_get -y -f install
  done
}

# A fresh VPS is still busy with itself: cloud-init and the first apt-daily run.
first_boot_wait() {
  local waited=0 job
  while job=$(first_boot_job) && [ -n "$job" ]; do
    ! stopping || { problem "stopped while waiting for $job, as asked"; return 130; }
    [ "$waited" -lt "$LOCK_PATIENCE" ] || { problem "$job has not ended after $waited s; nothing was changed"; return 1; }
    [ $((waited % 10)) = 0 ] && progress "Waiting for $job (${waited} s)"
    sleep 2
    waited=$((waited + 2))
  done
  return 0
}

first_boot_job() {
  local unit
  if command -v cloud-init >/dev/null 2>&1 && timeout 20 cloud-init status 2>/dev/null | grep -q 'status: running'; then
    echo cloud-init
    return
  fi
  for unit in apt-daily.service apt-daily-upgrade.service unattended-upgrades-shutdown.service; do
    case $(systemctl show -p ActiveState --value "$unit" 2>/dev/null) in
      activating) echo "$unit"; return ;;
    esac
  done
}

# dpkg_lock_wait: says who holds the lock; never breaks it.
dpkg_lock_wait() {
  local waited=0 holder
  while holder=$(dpkg_lock_holder) && [ -n "$holder" ]; do
    ! stopping || { problem 'stopped while waiting for the package system, as asked'; return 130; }
    [ "$waited" -lt "$LOCK_PATIENCE" ] || {
      problem "the package system is still locked after $waited s by $holder"
      return 1
    }
    [ $((waited % 10)) = 0 ] && progress "Waiting for the package system: $holder (${waited} s)"
    sleep 2
    waited=$((waited + 2))
  done
  return 0
}

# /proc/locks needs no program that a minimal system lacks (fuser, lsof).
dpkg_lock_holder() {
  local file inode pid
  for file in var/lib/dpkg/lock-frontend var/lib/dpkg/lock var/lib/apt/lists/lock var/cache/apt/archives/lock; do
    inode=$(stat -c %i "$ROOT/$file" 2>/dev/null) || continue
    # shellcheck disable=SC2013 # numbers
    for pid in $(sed -n "s/^.* WRITE \([0-9]*\) [^ ]*:$inode .*/\1/p" /proc/locks); do
      # A file of another file system may have the same number.
      [ -n "$(find -L "/proc/$pid/fd" -maxdepth 1 -samefile "$ROOT/$file" 2>/dev/null)" ] || continue
      printf 'process %s (%s)' "$pid" "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | head -c 120)"
      return
    done
  done
}

foreign_only() {
  local name
  while read -r name; do
    case " $REPLACEABLE " in
      *" $name "*) ;;
      *) printf '%s\n' "$name" ;;
    esac
  done
}

# log_words PATTERN: the last lines of the run's log that match.
log_words() {
  one_line "$(grep "$1" "$RUN_DIR/log" 2>/dev/null | tail -n 3)"
}
