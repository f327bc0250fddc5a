# unbound: checks of a staged set, proof of recursion, and the switch of /etc/resolv.conf.

# unbound_validate: the staged file with the staged and the user's own local.d.
unbound_validate() {
  local said staged="$STAGE/etc/unbound"
  unbound_anchor
  mkdir -p "$staged/.check" && cp "$staged"/local.d/*.conf "$staged/.check/" || return
  cp -n "$ROOT"/etc/unbound/local.d/*.conf "$staged/.check/" 2>/dev/null
  sed "s#^include: .*#include: \"$staged/.check/*.conf\"#" "$staged/unbound.conf" >"$staged/.check.conf" || return
  said=$(unbound-checkconf "$staged/.check.conf" 2>&1) && return 0
  problem "unbound: $(short_text "$said")"
  return 1
}

# The package's start-up helper makes the root anchor; the checker wants it before the first start.
unbound_anchor() {
  [ -e /var/lib/unbound/root.key ] || /usr/libexec/unbound-helper root_trust_anchor_update 2>/dev/null ||
    /usr/lib/unbound/package-helper root_trust_anchor_update 2>/dev/null
  return 0
}

# unbound_probe_recursion HOSTNAME: it answers on loopback, and recursion reaches the root.
unbound_probe_recursion() {
  local said=''
  within 60 unbound_recurses || { problem "unbound on 127.0.0.1 cannot resolve: $said"; return 1; }
}

unbound_recurses() {
  local before="$said"
  said=$(dns_ask 127.0.0.1 . 2) && return 0
  # Just started, it has a moment without being called slow.
  [ "$said" != "$before" ] || progress "unbound does not answer yet: $said"
  return 1
}

# dns_ask SERVER NAME TYPE: the answer's code and flags on success, the reason on failure. NS of the root needs recursion.
dns_ask() {
  perl -MSocket=:all -e '
    my ($server, $name, $type) = @ARGV;
    my $question = join("", map { chr(length) . $_ } grep { length } split /\./, $name) . "\0" . pack("nn", $type, 1);
    my $id = int rand 65536;
    # RD and AD wanted; EDNS with DO.
    my $query = pack("nnnnnn", $id, 0x0120, 1, 0, 0, 1) . $question . "\0" . pack("nnNn", 41, 1232, 0x8000, 0);
    socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die;
    connect($socket, pack_sockaddr_in(53, inet_aton($server))) or die;
    send($socket, $query, 0) or do { print "cannot ask ($!)"; exit 1 };
    my $ready = ""; vec($ready, fileno($socket), 1) = 1;
    select($ready, undef, undef, 5) or do { print "no answer within 5 s"; exit 1 };
    defined recv($socket, my $answer, 4096, 0) or do { print "nothing listens on port 53 ($!)"; exit 1 };
    my ($back, $flags, $q, $a) = unpack("nnnn", $answer);
    $back == $id or do { print "a strange answer"; exit 1 };
    my $code = $flags & 15;
    my $word = (qw(NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED))[$code] // "code $code";
    if ($code != 0 || $a == 0) { print "$word, $a answers"; exit 1 }
    print "$word", ($flags & 0x20 ? " authenticated" : "")' "$1" "$2" "$3" 2>&1
}

# unbound_switch_resolver HOSTNAME: only after recursion was proven on 127.0.0.1; put back when names stop resolving.
unbound_switch_resolver() {
  local file="$ROOT/etc/resolv.conf" kept="$STATE/resolv.conf.before"
  unbound_probe_recursion "$1" || return
  if ! unbound_is_resolver "$file"; then
    progress '/etc/resolv.conf: 127.0.0.1'
    changed
    before_keep /etc/resolv.conf || return
    rm -f "$kept"
    cp -a "$file" "$kept" 2>/dev/null || [ ! -e "$file" ] || return
    rm -f "$file.smtp-setup"
    # No second name server: Postfix trusts the "authenticated" flag, and only our own resolver earned it.
    printf '%s\n' '# Managed by smtp-setup: the validating resolver on this machine (unbound).' \
      'nameserver 127.0.0.1' 'options edns0 trust-ad' >"$file.smtp-setup" && chmod 0644 "$file.smtp-setup" || return
    mv -fT "$file.smtp-setup" "$file" ||
      { rm -f "$file.smtp-setup"; problem "/etc/resolv.conf cannot be replaced (chattr -i, or a bind mount?)"; return 1; }
    if ! within 30 unbound_libc_works; then
      rm -f "$file"
      cp -a "$kept" "$file"
      problem 'names did not resolve through 127.0.0.1; /etc/resolv.conf is as it was'
      return 1
    fi
  fi
  unbound_keep_resolver
  unbound_tell_postfix
}

unbound_is_resolver() {
  [ ! -L "$1" ] && [ "$(grep -c '^nameserver' "$1" 2>/dev/null)" = 1 ] && grep -q '^nameserver 127\.0\.0\.1$' "$1" &&
    grep -q '^options.* trust-ad' "$1"
}

# A process of its own, because libc reads the file once. An answer "no such name" is an answer.
unbound_libc_works() {
  perl -MSocket=:all -e '
    $SIG{ALRM} = sub { exit 1 }; alarm 30;
    for my $name ("localhost.localdomain.invalid", "invalid") {
      my ($error) = getaddrinfo($name, "", { socktype => SOCK_STREAM });
      exit 1 if $error == EAI_AGAIN || $error == EAI_FAIL;
    }'
}

# What would write /etc/resolv.conf again: DHCP clients, NetworkManager. systemd-resolved leaves a plain file alone.
unbound_keep_resolver() {
  if [ -d "$ROOT/etc/dhcp/dhclient-enter-hooks.d" ]; then
    small_file "$ROOT/etc/dhcp/dhclient-enter-hooks.d/smtp-setup" \
      '# Managed by smtp-setup: /etc/resolv.conf names the resolver on this machine.' 'make_resolv_conf() { :; }' || return
  fi
  if [ -d "$ROOT/etc/NetworkManager/conf.d" ]; then
    small_file "$ROOT/etc/NetworkManager/conf.d/90-smtp-setup.conf" \
      '# Managed by smtp-setup: /etc/resolv.conf names the resolver on this machine.' '[main]' 'dns=none' || return
  fi
  return 0
}

# Chrooted Postfix services read a copy that is refreshed when Postfix starts.
unbound_tell_postfix() {
  local copy="$ROOT/var/spool/postfix/etc/resolv.conf" unit
  [ -e "$copy" ] && ! cmp -s "$copy" "$ROOT/etc/resolv.conf" || return 0
  for unit in postfix@-.service postfix.service; do
    systemctl is-active --quiet "$unit" || continue
    changed
    progress "$unit: restart, for its copy of resolv.conf"
    systemctl restart "$unit" || { unit_problem "$unit" restart; return 1; }
    cmp -s "$copy" "$ROOT/etc/resolv.conf" || cp -f "$ROOT/etc/resolv.conf" "$copy"
    return 0
  done
}
