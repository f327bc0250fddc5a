# Runs as root and writes an archive to standard output: what makes this server this server (lists, keys, certificates,
# mail), below server/. Mail is frozen by hard links first, so that nothing is missed that is moved or delivered meanwhile.
# Argument: a name for this backup.
set -u
umask 077
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
ours=/etc/smtp-setup store=/var/vmail

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

mkdir -p /run/smtp-setup && exec 9>/run/smtp-setup/backup.lock || fail 'no lock can be made in /run/smtp-setup'
flock -n 9 || fail 'another backup of this server is under way'
[ -d "$store" ] && [ -e "$ours/users" ] || fail "smtp-setup never set this server up to the end: $store or $ours/users is missing"
rm -rf "$store"/.smtp-setup-backup.*
# Counts as a backup once the client has all of it, and says so; by then the next one may have begun.
find /var/lib/smtp-setup -maxdepth 1 -name 'saved.begun*' -mtime +1 -delete
date +%s >"/var/lib/smtp-setup/saved.begun.$1" || fail 'nothing can be written to /var/lib/smtp-setup'
work=$(mktemp -d "$store/.smtp-setup-backup.XXXXXX") || fail "nothing can be written to $store"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM PIPE
to=$work/server
mkdir "$to" "$to/lists" "$to/dkim" "$to/certs" "$to/letsencrypt" || exit 1

plain_files() {
  for file in "$1"/*; do
    if [ ! -f "$file" ] || [ -L "$file" ]; then continue; fi
    case ${file##*/} in *[!$3]*) continue ;; esac
    cp "$file" "$2/" || fail "$file cannot be read"
  done
}

(flock 8 && plain_files "$ours" "$to/lists" 'a-z0-9-') 8>>"$ours/.accounts.lock" || exit 1
# What an installation writes by itself.
rm -f "$to/lists/domains" "$to/lists/send-only"
# Folders of ours that are the user's: additions, logins at relays. layout.ts and restore.sh name them, too.
for folder in local relay; do
  mkdir "$to/$folder" && plain_files "$ours/$folder" "$to/$folder" 'A-Za-z0-9._-' || exit 1
done
for file in /var/lib/rspamd/dkim/*.key; do
  [ ! -f "$file" ] || cp "$file" "$to/dkim/" || fail "$file cannot be read"
done
for folder in "$ours"/certs/issued-*; do
  if [ ! -d "$folder" ] || [ -L "$folder" ]; then continue; fi
  mkdir "$to/certs/${folder##*/}" && cp "$folder/fullchain.pem" "$folder/privkey.pem" "$to/certs/${folder##*/}/" || exit 1
done
[ ! -s "$ours/keys/next.pem" ] || cp "$ours/keys/next.pem" "$to/certs/" || exit 1
readlink "$ours/tls" >"$to/certs/in-use"
[ ! -s /etc/postsrsd.secret ] || cp /etc/postsrsd.secret "$to/srs-secret" || exit 1
for folder in accounts archive renewal; do
  [ ! -d "/etc/letsencrypt/$folder" ] || cp -R "/etc/letsencrypt/$folder" "$to/letsencrypt/" || exit 1
done
find "$to/letsencrypt" -type l -exec rm {} +

perl - "$store" "$to/mail" "$to/mail-links" <<'PERL' || exit 1
use strict; use warnings; use Errno qw(ENOENT);
my ($store, $target, $links) = @ARGV;
open(my $list, '>', $links) or die "$links: $!\n";
folder('', 0);
close $list or die "$links: $!\n";

sub names {
    opendir(my $folder, $_[0]) or return ();
    return sort grep { $_ ne '.' && $_ ne '..' && !/[\x00-\x1f\x7f]/ } readdir $folder;
}
sub freeze {
    my ($from, $to) = @_;
    return 1 if link $from, $to;
    return 0 if $! == ENOENT;
    die "$from: $!\n";
}
sub folder {
    my ($path) = @_;
    my ($from, $to) = ("$store$path", "$target$path");
    mkdir $to, 0700 or die "$to: $!\n";
    my $maildir = -d "$from/cur" && -d "$from/new";
    messages($from, $to) if $maildir;
    for my $name (names($from)) {
        next if $maildir && $name =~ /^(?:cur|new|tmp)$/;
        # Made anew from the messages; another version's would have to be converted.
        next if $name =~ /^dovecot\.(?:list\.)?index|\.lock$/ || $path eq '' && $name =~ /^\.smtp-setup-/;
        if (-l "$from/$name") {
            my $to = readlink "$from/$name";
            print $list "$path/$name\t$to\n" if defined $to && $to !~ m{^/|(?:^|/)\.\.(?:/|$)|[\x00-\x1f]};
        }
        elsif (-d _) { folder("$path/$name") }
        elsif (-f _) { freeze("$from/$name", "$to/$name") }
    }
}
# A message changes its name when its flags change, never the part before the colon.
sub messages {
    my ($from, $to) = @_;
    my %have;
    mkdir "$to/$_", 0700 or die "$to/$_: $!\n" for qw(cur new tmp);
    for (1 .. 50) {
        my $missed = 0;
        for my $part (qw(new cur)) {
            for my $name (names("$from/$part")) {
                my ($base) = split /:/, $name;
                next if $have{$base} || !-f "$from/$part/$name";
                if (freeze("$from/$part/$name", "$to/$part/$name")) { $have{$base} = 1 } else { $missed = 1 }
            }
        }
        return unless $missed;
    }
    die "$from changes faster than it can be read\n";
}
PERL

# 1: a file grew while it was read (Dovecot's list of UIDs), which is no harm.
tar -C "$work" --format=gnu --hard-dereference --numeric-owner --owner=0 --group=0 --sort=name -cf - server || [ $? = 1 ] || exit 1
