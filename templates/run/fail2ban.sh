# fail2ban: checks of a staged set, proof that a ban reaches the kernel.

# fail2ban_validate: what is there, with the staged files over it.
fail2ban_validate() {
  local said staged="$STAGE/.fail2ban"
  cp -a "$ROOT/etc/fail2ban" "$staged" && cp -a "$STAGE/etc/fail2ban/." "$staged/" || return
  said=$(fail2ban-client -c "$staged" -t 2>&1) && return 0
  problem "fail2ban: $(short_text "$said")"
  return 1
}

# fail2ban_probe JAIL: an address that nobody has (RFC 5737) is banned and let go; its rule is seen in between.
fail2ban_probe() {
  local address=192.0.2.1
  within 60 fail2ban_has "$1" || { unit_problem fail2ban.service "start of the jail $1"; return 1; }
  fail2ban-client set "$1" banip "$address" >/dev/null || { problem "the jail $1 does not ban"; return 1; }
  within 60 fail2ban_bars "$address" || {
    fail2ban-client set "$1" unbanip "$address" >/dev/null
    problem "a ban by $1 does not reach nftables: $(short_text "$(tail -n 3 /var/log/fail2ban.log 2>/dev/null)")"
    return 1
  }
  fail2ban-client set "$1" unbanip "$address" >/dev/null
}

fail2ban_has() {
  fail2ban-client status "$1" >/dev/null 2>&1
}

fail2ban_bars() {
  nft list ruleset 2>/dev/null | grep -q "\\<$1\\>"
}
