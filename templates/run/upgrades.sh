# Unattended upgrades: apt reads every file of its folder, and one that it cannot read stops all of it.

upgrades_validate() {
  local said
  said=$(apt-config -c "$STAGE/etc/apt/apt.conf.d/52smtp-setup-upgrades" dump 2>&1 >/dev/null) && [ -z "$said" ] && return 0
  problem "apt: $(short_text "$said")"
  return 1
}

# upgrades_probe: what apt makes of all its files: on, and for security updates only.
upgrades_probe() {
  local found
  found=$(apt-config dump 2>&1) || { problem "apt: $(short_text "$found")"; return 1; }
  case $found in
    *'APT::Periodic::Unattended-Upgrade "1"'*'-security'*) return 0 ;;
  esac
  problem 'apt does not install security updates by itself: another file in /etc/apt/apt.conf.d says otherwise'
  return 1
}
