# Mailboxes and aliases. Their truth is $ROOT/etc/smtp-setup/users (Dovecot's passwd-file, hashes only) and aliases;
# Postfix's tables are made from both. Every change: under a lock, whole files by rename, tables last when something
# comes, first when something goes.

# accounts_prepare MAPTYPE: the owner of all mail, its folder, empty lists.
accounts_prepare() {
  local folder="$ROOT/etc/smtp-setup" group=root
  if ! getent passwd vmail >/dev/null; then
    # A free number is found by useradd; mail of an earlier system is never chowned.
    useradd --system --user-group --no-create-home --home-dir /var/vmail --shell /usr/sbin/nologin vmail ||
      { problem 'the user vmail cannot be made'; return 1; }
    changed
  fi
  getent group dovecot >/dev/null && group=dovecot
  accounts_folder "$folder" 0755 root:root && accounts_folder "$folder/local" 0755 root:root &&
    accounts_folder "$folder/maps" 0755 root:root && accounts_folder "$ROOT/var/vmail" 0700 vmail:vmail || return
  # Dovecot's login check runs as its own user: unreadable means "temporary failure" for everyone.
  accounts_list "$folder/users" 0640 "root:$group" "address:hash::::: one mailbox a line, hashes only" &&
    accounts_list "$folder/aliases" 0644 root:root "address target[,target]: one alias a line" || return
  accounts_rebuild "$1"
}

# accounts_rebuild MAPTYPE: the tables again, from what the lists say now.
accounts_rebuild() {
  accounts_do "$1" rebuild
}

# accounts_add ADDRESS SECRET MAPTYPE: an existing mailbox keeps its password.
accounts_add() {
  accounts_do "$3" add "$1" "$SECRETS/$2"
}

# accounts_add_all SECRET MAPTYPE: many at once, all or none. Each line of the secret: the address, `password` or `hash`,
# its value and, for a login without a mailbox, the addresses it may send as (comma-separated); tabs between them.
accounts_add_all() {
  accounts_do "$2" add-all "$SECRETS/$1"
}

# accounts_passwd ADDRESS SECRET MAPTYPE
accounts_passwd() {
  accounts_do "$3" passwd "$1" "$SECRETS/$2" && accounts_kick "$1"
}

# accounts_remove ADDRESS MAPTYPE: the login goes, the stored mail stays.
accounts_remove() {
  accounts_do "$2" remove "$1" && accounts_kick "$1"
}

# accounts_delete_mail ADDRESS SAVED: the stored mail of a mailbox that is gone; none of it may be newer than the backup
# that began at SAVED (seconds since 1970).
accounts_delete_mail() {
  local store="$ROOT/var/vmail" domain="${1##*@}" name="${1%@*}" newer
  case $name/$domain in
    /* | */ | [!a-z0-9]*/* | */*[!a-z0-9.-]* | */.* | *[!a-z0-9._+/-]*) problem "not an address: $1"; return 1 ;;
  esac
  # What one that was killed had put aside.
  rm -rf "$store"/.smtp-setup-gone.*
  [ -d "$store/$domain/$name" ] || return 0
  grep -qs "^$1:" "$ROOT/etc/smtp-setup/users" && { problem "$1 is a mailbox"; return 1; }
  newer=$(accounts_newer "$store/$domain/$name" "$2")
  [ "$newer" = 0 ] || { problem "$newer messages of $1 are in no backup; they were not deleted"; return 1; }
  changed
  # Gone at once, whatever ends the run.
  mv -T "$store/$domain/$name" "$store/.smtp-setup-gone.$RUN_ID" && rm -rf "$store/.smtp-setup-gone.$RUN_ID" || return
  rmdir "$store/$domain" 2>/dev/null
  return 0
}

# accounts_newer FOLDER SAVED: how many messages came since. A message's name begins with the second of its arrival.
accounts_newer() {
  find "$1" -type f \( -path '*/cur/*' -o -path '*/new/*' \) | sed 's#.*/##' |
    awk -F. -v saved="$2" '$1 + 0 >= saved + 0 { n++ } END { print n + 0 }'
}

# accounts_disable ADDRESS MAPTYPE: no login and no sending; mail still comes in, and the password is kept.
accounts_disable() {
  accounts_do "$2" disable "$1" && accounts_kick "$1"
}

# accounts_enable ADDRESS MAPTYPE
accounts_enable() {
  accounts_do "$2" enable "$1"
}

# accounts_quota ADDRESS BYTES MAPTYPE: room for this mailbox; 0 is no limit, "default" what the configuration says.
accounts_quota() {
  accounts_do "$3" quota "$1" "$2"
}

# accounts_kick ADDRESS: what is logged in with the old rights is logged out.
accounts_kick() {
  [ "$STEP_CHANGED" = 0 ] ||
    timeout 10 doveadm kick "$(printf '%s' "$1" | tr '[:upper:]' '[:lower:]')" </dev/null >/dev/null 2>&1
  return 0
}

# accounts_alias ADDRESS TARGETS MAPTYPE: TARGETS are comma-separated; the alias then has exactly these.
accounts_alias() {
  accounts_do "$3" alias "$1" "$2"
}

# accounts_alias_remove ADDRESS MAPTYPE
accounts_alias_remove() {
  accounts_do "$2" alias-remove "$1"
}

# accounts_probe_begin DOMAIN MAPTYPE: a throw-away mailbox smtp-setup-probe@DOMAIN. Its password lies in the run's tmpfs
# folder, plain (probe-password) and as an AUTH PLAIN line (probe-plain).
accounts_probe_begin() {
  local folder="$RUNTIME/$RUN_ID"
  mkdir -p "$folder" && accounts_probe_password "smtp-setup-probe@$1" "$folder" &&
    accounts_do "$2" probe-begin "smtp-setup-probe@$1" "$folder/probe-password"
}

# accounts_probe_end MAPTYPE
accounts_probe_end() {
  rm -f "$RUNTIME/$RUN_ID/probe-password" "$RUNTIME/$RUN_ID/probe-plain"
  accounts_do "$1" rebuild
}

accounts_probe_password() {
  (umask 077 && perl -e '
    my ($login, $folder) = @ARGV;
    open(my $random, "<", "/dev/urandom") or die; sysread($random, my $bytes, 24) == 24 or die;
    my $password = unpack("H*", $bytes);
    my $base64 = sub {
      my $text = pack("u", $_[0]);
      $text =~ s/^.//mg; $text =~ tr/\n//d; $text =~ tr#` -_#AA-Za-z0-9+/#;
      my $pad = (3 - length($_[0]) % 3) % 3;
      substr($text, -$pad) = "=" x $pad if $pad;
      return $text;
    };
    my %files = ("probe-password" => $password, "probe-plain" => "AUTH PLAIN " . $base64->("\0$login\0$password"));
    for my $name (keys %files) { open(my $file, ">", "$folder/$name") or die; print $file "$files{$name}\n"; close $file or die }
  ' "$1" "$2")
}

accounts_folder() {
  # shellcheck disable=SC2174 # what lies above is there
  [ -d "$1" ] || { mkdir -p -m "$2" "$1" && changed; } || return
  [ "$(stat -c '%04a %U:%G' "$1")" = "$2 $3" ] && return 0
  changed
  chown "$3" "$1" && chmod "$2" "$1"
}

accounts_list() {
  [ -e "$1" ] || { printf '# Kept by smtp-setup. %s\n' "$4" >"$1" && changed; } || return
  [ "$(stat -c '%04a %U:%G' "$1")" = "$2 $3" ] && return 0
  changed
  chown "$3" "$1" && chmod "$2" "$1"
}

# accounts_known: Dovecot looks at its list at most once in each second of the clock, and who hears of a change may try it
# at once.
accounts_known() {
  local left
  unit_active dovecot.service || return 0
  # Milliseconds to the next second, and a few more; the 1 keeps the digits from being an octal number.
  left=$(((2050000000 - 1$(date +%N)) / 1000000))
  sleep "$((left / 1000)).$(printf %03d $((left % 1000)))"
}

# accounts_do MAPTYPE OPERATION [ARGUMENT…]: the one program that writes the lists. Status 10: something was changed.
accounts_do() {
  local said code
  said=$(ACCOUNTS_ROOT=$ROOT ACCOUNTS_CHECKS=$RUNTIME/checks perl - "$@" 2>&1 <<'PERL'
use strict; use warnings;
use Fcntl qw(:flock); use IPC::Open3; use IO::Handle;

my ($type, $operation, @arguments) = @ARGV;
my $home = "$ENV{ACCOUNTS_ROOT}/etc/smtp-setup";
my $changed = 0;
my @roles = qw(postmaster abuse root mailer-daemon);
my $probe = qr/^smtp-setup-probe@/;
# A mailbox for one check from outside (check-login.sh): there as long as its script is.
my $check = qr/^(smtp-setup-check-[0-9a-f]{8})@/;
# Dovecot's passdb then accepts the login from this network only, which is none (doc: authentication/allow_nets).
my $nowhere = 'allow_nets=255.255.255.255/32';
# A userdb field: the setting of that name in Dovecot 2.4, and what 2.3's quota_rule looks up.
my $quota = 'userdb_quota_storage_size';

sub fail { print "$_[0]\n"; exit 1 }

# Each hash takes a fraction of a second and 64 MiB on purpose; nobody has to wait for the lock meanwhile.
my @coming = $operation eq 'add-all' ? read_coming($arguments[0]) : ();

open(my $lock, '>>', "$home/.accounts.lock") or fail("$home/.accounts.lock: $!");
flock($lock, LOCK_EX) or fail("lock: $!");

my @users = lines("$home/users");
my @aliases = lines("$home/aliases");
my @logins = lines("$home/logins");
my $sends_only = -e "$home/send-only";
my %domains = map { $_ => 1 } grep { !/^#/ && /\S/ } lines("$home/domains");

my $removes = $operation =~ /remove|check-end/ ? 1 : 0;
# A check comes and goes beside a run, which may be at its probe; whatever else comes here is a run itself, the only one.
my $beside = $operation =~ /^check-/;
@users = grep { ($beside || !/$probe/) && (!/$check/ || -e "$ENV{ACCOUNTS_CHECKS}/$1.sh") } @users;
if ($operation eq 'add') {
    my ($address, $secret) = (checked($arguments[0]), $arguments[1]);
    fail("$address would be a mailbox, and this server only sends") if $sends_only;
    fail("$address is an alias; remove that first") if grep { (split)[0] eq $address } entries(@aliases);
    push @users, "$address:" . hashed($secret) . '::::::' unless grep { login($_) eq $address } @users;
} elsif ($operation eq 'add-all') {
    my %known = map { login($_) => 1 } @users;
    my %aliased = map { (split)[0] => 1 } entries(@aliases);
    for (@coming) {
        my ($given, $hash, @senders) = @$_;
        my $address = checked($given);
        fail("$address would be a mailbox, and this server only sends") if $sends_only && !@senders;
        fail("$address is an alias; remove that first") if $aliased{$address} && !@senders;
        next if $known{$address}++;
        push @users, "$address:$hash\::::::";
        push @logins, "$address " . join(',', map { checked($_, 1) } @senders) if @senders;
    }
} elsif ($operation eq 'check-begin') {
    my $address = checked($arguments[0]);
    push @users, "$address:" . hashed($arguments[1]) . '::::::';
} elsif ($operation eq 'probe-begin') {
    push @users, "$arguments[0]:" . hashed($arguments[1]) . '::::::';
} elsif ($operation eq 'passwd') {
    my $address = checked($arguments[0]);
    my $done = 0;
    for my $line (@users) {
        next unless login($line) eq $address;
        my @fields = split /:/, $line, -1;
        $fields[1] = hashed($arguments[1]) unless verified($fields[1], $arguments[1]);
        $line = join ':', @fields;
        $done = 1;
    }
    fail("there is no mailbox $address") unless $done;
} elsif ($operation eq 'remove') {
    my $address = lc $arguments[0];
    @users = grep { login($_) ne $address } @users;
    @logins = grep { entry_key($_) ne $address } @logins;
} elsif ($operation eq 'disable' || $operation eq 'enable') {
    change_extra($arguments[0], qr/^\Q$nowhere\E$/, $operation eq 'disable' ? $nowhere : ());
} elsif ($operation eq 'quota') {
    my ($address, $bytes) = @arguments;
    fail("not a number of bytes: $bytes") unless $bytes =~ /^(?:default|0|[1-9][0-9]{0,17})$/;
    change_extra($address, qr/^\Q$quota\E=/, $bytes eq 'default' ? () : "$quota=$bytes");
} elsif ($operation eq 'alias') {
    my $address = checked($arguments[0], 1);
    my @targets = split /,/, lc $arguments[1];
    fail("an alias needs a target") unless @targets;
    for (@targets) { fail("not an address: $_") unless /^[a-z0-9][a-z0-9._+-]*@[a-z0-9.-]+$/ }
    fail("$address is a mailbox") if grep { login($_) eq $address } @users and !grep { entry_key($_) eq $address } @logins;
    my $line = "$address " . join(',', @targets);
    my $found = 0;
    for my $old (@aliases) { if (entry_key($old) eq $address) { $old = $line; $found = 1 } }
    push @aliases, $line unless $found;
} elsif ($operation eq 'alias-remove') {
    my $address = lc $arguments[0];
    @aliases = grep { entry_key($_) ne $address } @aliases;
} elsif ($operation !~ /^(?:rebuild|check-end)$/) {
    fail("unknown operation $operation");
}

my @writes = (
    sub { replace("$home/users", 0640, (getgrnam('dovecot'))[2] // 0, @users) },
    sub { replace("$home/aliases", 0644, 0, @aliases) },
    sub { replace("$home/logins", 0644, 0, @logins) if @logins || -e "$home/logins" },
);
my @tables = map { my $name = $_; sub { table($name) } } qw(mailboxes aliases senders);
$_->() for $removes ? (@tables, @writes) : (@writes, @tables);
exit($changed ? 10 : 0);

sub lines {
    my $path = shift;
    open(my $file, '<', $path) or return ();
    my @lines = <$file>;
    chomp @lines;
    return @lines;
}
sub login { my $line = shift; return $line =~ /^([^#:\s][^:\s]*):/ ? $1 : '' }
sub entries { return grep { /^[^#\s]\S*\s+\S/ } @_ }
sub entry_key { my $line = shift; return $line =~ /^([^#\s]\S*)\s/ ? $1 : '' }

# The extra fields of a login's line: those that fit go, the new one comes.
sub change_extra {
    my ($address, $fits, @new) = (checked(shift), @_);
    my $done = 0;
    for my $line (@users) {
        next unless login($line) eq $address;
        my @fields = split /:/, $line, -1;
        my @extra = grep { !/$fits/ } split ' ', join ':', @fields[7 .. $#fields];
        $line = join ':', (map { $fields[$_] // '' } 0 .. 6), join ' ', @extra, @new;
        $done = 1;
    }
    fail("there is no mailbox $address") unless $done;
}

# A mailbox or alias of one of our domains; for aliases also the catch-all `@domain`.
sub checked {
    my ($address, $catch_all) = (lc $_[0], $_[1]);
    my ($local, $domain) = $address =~ /^([a-z0-9][a-z0-9._+-]{0,63}|)@([a-z0-9][a-z0-9.-]*)$/ or fail("not an address: $address");
    fail("not an address: $address") if $local eq '' && !$catch_all;
    fail("$domain is none of this server's domains") unless $domains{$domain};
    return $address;
}

sub secret {
    my $path = shift;
    open(my $file, '<', $path) or fail("the password was not handed over ($!)");
    my $password = <$file>;
    fail('the password is empty') unless defined $password;
    chomp $password;
    fail('the password is empty') if $password eq '';
    return $password;
}

# doveadm reads the password from its standard input (twice when it is new): nothing in its arguments.
sub doveadm {
    my ($input, @arguments) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $child = open3(my $in, my $out, undef, 'doveadm', 'pw', @arguments);
    print $in $input;
    close $in;
    my @said = <$out>;
    waitpid $child, 0;
    return ($? >> 8, @said);
}
sub hashed { return hash_of(secret($_[0])) }
sub hash_of {
    my $password = shift;
    my ($code, @said) = doveadm("$password\n$password\n", '-s', 'ARGON2ID');
    for (@said) { return $1 if /(\{ARGON2ID\}\$argon2id\$[A-Za-z0-9+\/=\$,]+)\s*$/ }
    fail("doveadm could not hash the password (status $code)");
}
sub verified {
    my ($hash, $path) = @_;
    my $password = secret($path);
    my ($code) = doveadm("$password\n", '-t', $hash);
    return $code == 0;
}

sub read_coming {
    my $path = shift;
    open(my $file, '<', $path) or fail("the passwords were not handed over ($!)");
    my (@found, @passwords);
    while (my $line = <$file>) {
        chomp $line;
        my ($address, $kind, $value, $senders) = split /\t/, $line;
        fail("line $. of the list is incomplete") unless defined $value && $value ne '';
        push @passwords, [$#found + 1, $value] if $kind ne 'hash';
        push @found, [$address, $value, split /,/, $senders // ''];
    }
    my @hashes = hashes_of(map { $_->[1] } @passwords);
    $found[$passwords[$_][0]][1] = $hashes[$_] for 0 .. $#passwords;
    for (0 .. $#found) {
        # It becomes one field of one line.
        fail('line ' . ($_ + 1) . ' of the list holds no hash') unless $found[$_][1] =~ /^\{[A-Z0-9.-]+\}[A-Za-z0-9+\/=.\$,_-]+$/;
    }
    return @found;
}

# Many at once, as many as there are processors (four at most, for the memory's sake): each child takes every n-th and
# says its hashes, a line each, or what went wrong.
sub hashes_of {
    my @passwords = @_;
    my $count = grep { /^processor\b/ } lines('/proc/cpuinfo');
    $count = $count > 4 ? 4 : $count || 1;
    my @children;
    for my $first (0 .. $count - 1) {
        my $child = open(my $pipe, '-|') // fail("no process can be made: $!");
        if ($child == 0) {
            STDOUT->autoflush(1);
            for (my $at = $first; $at < @passwords; $at += $count) { print hash_of($passwords[$at]), "\n" }
            exit 0;
        }
        push @children, $pipe;
    }
    my @hashes;
    for my $at (0 .. $#passwords) {
        my $said = readline $children[$at % $count];
        chomp($said //= 'a process that hashes passwords was ended');
        fail($said) unless $said =~ /^\{/;
        push @hashes, $said;
    }
    return @hashes;
}

# Whole, durable, with owner and mode set before the name appears; untouched when nothing differs.
sub replace {
    my ($path, $mode, $group, @lines) = @_;
    my $text = join '', map { "$_\n" } @lines;
    return 0 if -e $path && $text eq join '', map { "$_\n" } lines($path);
    my $new = "$path.new";
    unlink $new;
    open(my $file, '>', $new) or fail("$new: $!");
    if ($> == 0) { chown(0, $group, $new) or fail("$new: $!") }
    chmod($mode, $new) or fail("$new: $!");
    print $file $text or fail("$new: $!");
    $file->flush && $file->sync or fail("$new: $!");
    close $file or fail("$new: $!");
    rename($new, $path) or fail("$path: $!");
    return $changed = 1;
}

sub content {
    my $name = shift;
    # The probe's mailbox logs in, and that is all: Postfix never hears of it.
    my %login_only = map { entry_key($_) => 1 } @logins;
    my @boxes = grep { $_ ne '' && !/$probe/ && !$login_only{$_} } map { login($_) } @users;
    my %box = map { $_ => 1 } @boxes;
    my %alias = map { my ($key, $targets) = split ' ', $_, 2; $targets =~ s/\s//g; $key => [split /,/, $targets] } entries(@aliases);
    # Addresses that RFC 2142 and RFC 5321 4.5.1 ask for: without one of their own, they reach the first mailbox.
    my @lasting = grep { !/$check/ } @boxes;
    my ($first) = @lasting;
    for my $domain (sort keys %domains) {
        my ($here) = grep { /\@\Q$domain\E$/ } @lasting;
        for my $role (@roles) {
            my $address = "$role\@$domain";
            next if $box{$address} || $alias{$address} || !defined($here // $first);
            $alias{$address} = [$here // $first];
        }
    }
    if ($name eq 'mailboxes') { return map { "$_ $_" } sort @boxes }
    if ($name eq 'aliases') {
        # A catch-all must not swallow the mailboxes beside it.
        for (@boxes) { my ($domain) = /(@.*)$/; $alias{$_} = [$_] if $alias{$domain} }
        return map { "$_ " . join(',', @{ $alias{$_} }) } sort keys %alias;
    }
    # Who is disabled sends nothing more, in a session that is already open neither.
    my %off = map { login($_) => 1 } grep { / \Q$nowhere\E|:\Q$nowhere\E/ } @users;
    delete $box{$_} for keys %off;
    my %owners = map { $_ => { $_ => 1 } } grep { $box{$_} } @boxes;
    for my $address (keys %alias) {
        my (@todo, %seen) = ($address);
        while (defined(my $one = shift @todo)) {
            next if $seen{$one}++;
            (my $plain = $one) =~ s/\+[^@]*@/@/;
            $owners{$address}{$plain} = 1 if $box{$plain};
            push @todo, @{ $alias{$one} || [] };
        }
    }
    for (entries(@logins)) {
        my ($login, $senders) = split ' ', $_, 2;
        next if $off{$login};
        for my $sender (split /,/, $senders) {
            # Postfix asks for `@domain` only where the address itself has no line.
            my @meant = $sender =~ /^@/ ? ($sender, grep { /\Q$sender\E$/ } keys %owners, @boxes) : ($sender);
            $owners{$_}{$login} = 1 for @meant;
        }
    }
    return map { my $address = $_; "$address " . join(',', sort keys %{ $owners{$address} }) } grep { %{ $owners{$_} } } sort keys %owners;
}

# Source and index are built beside the old ones and renamed, the index first: a running lookup sees one or the other.
sub table {
    my $name = shift;
    my ($folder, $extension) = ("$home/maps", $type =~ /^(?:hash|btree)$/ ? 'db' : $type);
    my @lines = content($name);
    return if -e "$folder/$name" && -e "$folder/$name.$extension" && "@lines" eq join ' ', lines("$folder/$name");
    my $new = "$folder/new-$name";
    unlink $new, "$new.$extension";
    replace($new, 0644, 0, @lines);
    replace($new, 0644, 0) unless -e $new;
    my $config = "$folder/.config";
    mkdir $config, 0755;
    for ('dynamicmaps.cf', 'dynamicmaps.cf.d') { symlink("/etc/postfix/$_", "$config/$_") if -e "/etc/postfix/$_" && !-l "$config/$_" }
    open(my $main, '>', "$config/main.cf") or fail("$config/main.cf: $!");
    print $main "compatibility_level = 3.6\n";
    close $main;
    # Postfix reads a main.cf of this second again and again until it has settled, for two seconds.
    utime(time - 10, time - 10, "$config/main.cf") or fail("$config/main.cf: $!");
    my $child = open3(my $in, my $out, undef, 'postmap', '-c', $config, "$type:$new");
    close $in;
    my @said = <$out>;
    waitpid $child, 0;
    fail("postmap: @said") if $? || !-e "$new.$extension";
    rename("$new.$extension", "$folder/$name.$extension") or fail("$folder/$name.$extension: $!");
    rename($new, "$folder/$name") or fail("$folder/$name: $!");
    $changed = 1;
}
PERL
  ) && code=0 || code=$?
  case $code in
    0) return 0 ;;
    10)
      changed
      case $2 in
        add | add-all | passwd | remove | disable | enable | probe-begin | check-begin) accounts_known ;;
      esac
      return 0
      ;;
  esac
  problem "mailboxes: $(short_text "$said")"
  return 1
}
