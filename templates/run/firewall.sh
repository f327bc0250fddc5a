# The packet filter. A rule that cuts the operator off is the one mistake that nobody can mend from outside: whenever the
# table changes, a timer takes it back unless somebody logs in with the new rules in force and stops the timer.

FIREWALL_UNIT=smtp-setup-firewall.service
FIREWALL_TIMER=smtp-setup-firewall-deadman
FIREWALL_BEFORE=$ROOT/run/smtp-setup-firewall.before
FIREWALL_UNDO=$ROOT/run/smtp-setup-firewall.undo
FIREWALL_FIRED=$ROOT/run/smtp-setup-firewall.fired

firewall_validate() {
  local said
  said=$(nft -c -f "$STAGE/etc/smtp-setup/firewall.nft" 2>&1) && return 0
  problem "nftables: $(short_text "$said")"
  return 1
}

# firewall_arm SECONDS: once a run. What was proven last is what comes back, however often the rules change meanwhile.
firewall_arm() {
  [ -e "$RUN_DIR/firewall-armed" ] && return 0
  if ! systemctl is-active --quiet "$FIREWALL_TIMER.timer"; then
    rm -f "$FIREWALL_BEFORE"
    # Loaded rules of a unit that was just started are the new ones already.
    [ -z "$GROUP" ] || nft list table inet smtp_setup >"$FIREWALL_BEFORE" 2>/dev/null || rm -f "$FIREWALL_BEFORE"
  fi
  firewall_start_timer "$1" && : >"$RUN_DIR/firewall-armed"
}

# The unit is switched off too: a reboot must not bring the rules back that nobody could log in with. Its commands lie in a
# file: systemd 252 writes a `;` among the arguments of a transient unit as `\;`, and reads another command from that at the
# next daemon-reload. Who logs in only after that must hear of it (src/apply/prove-login.ts).
firewall_start_timer() {
  systemctl stop "$FIREWALL_TIMER.timer" 2>/dev/null
  systemctl reset-failed "$FIREWALL_TIMER.service" 2>/dev/null
  progress "The rules go in $1 s unless a fresh login works"
  changed
  rm -f "$FIREWALL_FIRED"
  (umask 077 && printf '%s\n' ": >$FIREWALL_FIRED" "systemctl disable --now $FIREWALL_UNIT" "[ ! -s $FIREWALL_BEFORE ] || nft -f $FIREWALL_BEFORE" >"$FIREWALL_UNDO") &&
    systemd-run --quiet --unit="$FIREWALL_TIMER" --on-active="$1" --timer-property=AccuracySec=1s \
      --description='Takes back firewall rules that nobody could log in with' /bin/sh "$FIREWALL_UNDO" ||
    { problem 'the timer that would take the rules back cannot be started; they were not touched'; return 1; }
}

# What would take the rules back is not wanted any more.
firewall_disarm() {
  systemctl stop "$FIREWALL_TIMER.timer" 2>/dev/null
  rm -f "$FIREWALL_BEFORE" "$FIREWALL_UNDO" "$FIREWALL_FIRED"
}

# firewall_not_at_boot: whoever cannot get in will try to reboot the server. Rules that no login has proven do not come back
# with it; the login that stops the timer enables the unit again.
firewall_not_at_boot() {
  systemctl is-active --quiet "$FIREWALL_TIMER.timer" || return 0
  systemctl disable "$FIREWALL_UNIT" 2>/dev/null || { unit_problem "$FIREWALL_UNIT" disable; return 1; }
}

# firewall_keep SECONDS: rules are in force that nobody has logged in with; the login that follows this run decides.
firewall_keep() {
  firewall_start_timer "$1" && firewall_not_at_boot
}

# firewall_load SECONDS: somebody flushed what the unit had loaded.
firewall_load() {
  [ ! -e "$ROOT/etc/smtp-setup/firewall.nft" ] || firewall_arm "$1" || return
  changed
  systemctl reload "$FIREWALL_UNIT" || { unit_problem "$FIREWALL_UNIT" reload; return 1; }
  firewall_not_at_boot
}

# firewall_probe PORT…: the table is in force and lets these in.
firewall_probe() {
  local rules port
  if rules=$(nft list chain inet smtp_setup input 2>&1) && case $rules in *'policy drop'*) true ;; *) false ;; esac; then
    for port; do
      printf '%s\n' "$rules" | grep -q "dport .*\<$port\>.* accept" && continue
      rules="port $port is not open"
      port=missing
      break
    done
    [ "${port:-}" = missing ] || { firewall_not_at_boot; return; }
  fi
  systemctl stop "$FIREWALL_TIMER.timer" 2>/dev/null
  problem "the firewall is not in force: $(short_text "$rules")"
  return 1
}

# firewall_probe_chains PORT…: each rule is in the chains that were here before.
firewall_probe_chains() {
  local rules port
  rules=$(nft list ruleset) || { problem 'the rules cannot be listed'; return 1; }
  for port; do
    printf '%s\n' "$rules" | grep -q "tcp dport $port .*accept comment \"smtp-setup\"" ||
      { problem "port $port is not open in the rules that were here before"; return 1; }
  done
}

# firewall_retire: another manager is in charge now.
firewall_retire() {
  [ -e "$ROOT/etc/systemd/system/$FIREWALL_UNIT" ] || return 0
  changed
  systemctl disable --now "$FIREWALL_UNIT" || { unit_problem "$FIREWALL_UNIT" stop; return 1; }
  firewall_disarm
}

# firewall_open_ufw PORT…: to be removed with: ufw delete allow PORT/tcp
firewall_open_ufw() {
  local port said
  for port; do
    changed
    said=$(ufw allow "$port/tcp" comment smtp-setup 2>&1) ||
      { problem "ufw: $(short_text "$said")"; return 1; }
  done
}

firewall_open_firewalld() {
  local port said
  for port; do
    changed
    said=$(firewall-cmd --quiet --permanent --add-port="$port/tcp" 2>&1 && firewall-cmd --quiet --add-port="$port/tcp" 2>&1) ||
      { problem "firewalld: $(short_text "$said")"; return 1; }
    [ ! -d "$STATE/before" ] || printf '%s\n' "$port" >>"$STATE/before/firewalld"
  done
}

# firewall_leave: the ports that were opened in somebody else's filter are closed there. Our own table went with its unit.
firewall_leave() {
  local port
  firewall_disarm
  if command -v ufw >/dev/null; then
    for port in $(ufw show added 2>/dev/null | sed -n "s/^ufw allow \([0-9]*\/tcp\) comment 'smtp-setup'$/\1/p"); do
      changed
      ufw delete allow "$port" >/dev/null || { problem "ufw: $port cannot be closed"; return 1; }
    done
  fi
  [ -s "$STATE/before/firewalld" ] && firewall-cmd --state >/dev/null 2>&1 || return 0
  while read -r port; do
    changed
    firewall-cmd --quiet --permanent --remove-port="$port/tcp" && firewall-cmd --quiet --remove-port="$port/tcp" ||
      { problem "firewalld: $port cannot be closed"; return 1; }
  done <"$STATE/before/firewalld"
}
