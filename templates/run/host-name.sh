# The machine's own name.

# host_name_set HOSTNAME MAILDOMAIN: static host name, /etc/hosts, /etc/mailname; kept against cloud-init.
host_name_set() {
  local hosts="$ROOT/etc/hosts" running
  running=$(cat /proc/sys/kernel/hostname)
  small_file "$ROOT/etc/hostname" "$1" || return
  if [ "$running" != "$1" ]; then
    progress "Host name: $1 (was $running)"
    changed
    hostnamectl set-hostname "$1" 2>/dev/null || printf '%s' "$1" >/proc/sys/kernel/hostname ||
      { problem 'the running host name cannot be set'; return 1; }
  fi
  if [ -d "$ROOT/etc/cloud/cloud.cfg.d" ]; then
    small_file "$ROOT/etc/cloud/cloud.cfg.d/99-smtp-setup.cfg" \
      '# Managed by smtp-setup: the name must stay the one that the PTR record shows.' \
      'preserve_hostname: true' 'manage_etc_hosts: false' || return
  fi
  host_name_in "$1" "$hosts" || return
  # What the provider's user data says wins over our file above: then /etc/hosts is made from this at every boot.
  if host_name_from_template; then
    host_name_in "$1" "$ROOT/etc/cloud/templates/hosts.debian.tmpl" || return
  fi
  small_file "$ROOT/etc/mailname" "$2"
}

host_name_from_template() {
  local data="$ROOT/var/lib/cloud/instance"
  [ -e "$ROOT/etc/cloud/templates/hosts.debian.tmpl" ] &&
    grep -Eqs '^manage_etc_hosts: *(true|template|"true"|True)' "$data/cloud-config.txt" "$data/user-data.txt" "$data/vendor-data.txt"
}

# host_name_in HOSTNAME FILE: FILE is /etc/hosts, or what it is made from.
host_name_in() {
  host_name_hosts "$1" <"$2" >"$2.smtp-setup" || return
  if cmp -s "$2.smtp-setup" "$2"; then
    rm -f "$2.smtp-setup"
  else
    changed
    before_keep "${2#"$ROOT"}" || return
    chmod 0644 "$2.smtp-setup" && mv -fT "$2.smtp-setup" "$2"
  fi
}

# host_name_hosts HOSTNAME: /etc/hosts from stdin to stdout. `localhost` stays (Rspamd does not start without it), every
# other line too; the name gets a line of its own unless one has it first already.
host_name_hosts() {
  perl -e '
    my $name = $ARGV[0]; (my $short = $name) =~ s/\..*//;
    my (@lines, $localhost, $ours);
    while (my $line = <STDIN>) {
      $line =~ s/\n$//;
      my ($address, @names) = split " ", $line =~ s/#.*//r;
      if (defined $address && $address eq "127.0.1.1") {
        # Debian puts the host name on this line, the canonical name first; other names on it stay behind.
        my %seen = ($name => 1, $short => 1);
        $line = join " ", $address, $name, $short, grep { !$seen{$_}++ } @names unless $ours;
        $ours = 1;
      }
      $localhost = 1 if defined $address && $address eq "127.0.0.1" && grep { $_ eq "localhost" } @names;
      $ours = 1 if defined $address && $address !~ /^127\.|^::1$/ && @names && $names[0] eq $name;
      push @lines, $line;
    }
    unshift @lines, "127.0.0.1 localhost" unless $localhost;
    unless ($ours) {
      my ($index) = grep { $lines[$_] =~ /^127\.0\.0\.1\s/ } 0 .. $#lines;
      splice @lines, $index + 1, 0, "127.0.1.1 $name $short";
    }
    print map { "$_\n" } @lines' "$1"
}
