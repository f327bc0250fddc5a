# Runs as root with the server's part of a backup on standard input, and unpacks it where nothing uses it yet. Argument:
# the backup's id. Answers one line: @received, or @failed and why.
set -u
umask 077
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
place=/var/lib/smtp-setup/restore

answer() {
  cat >/dev/null
  printf '\n@%s\n' "$(printf '%s' "$*" | tr '\n' ' ' | head -c 1000)"
  exit 0
}

mkdir -p "$place" && chmod 0700 /var/lib/smtp-setup "$place" || answer "failed $place cannot be made"
exec 9>"$place/.lock"
flock -n 9 || answer 'failed another restore is sending'
rm -rf "${place:?}"/*
mkdir "$place/$1.new" && why=$(tar -xf - -C "$place/$1.new" --no-same-owner --no-same-permissions 2>&1) ||
  { rm -rf "${place:?}/$1.new"; answer "failed it cannot be unpacked: ${why:-$(df -hP "$place" | tail -n 1)}"; }
# tar is content with an archive that was cut between two members.
[ -e "$place/$1.new/complete" ] || { rm -rf "${place:?}/$1.new"; answer 'failed the upload was cut'; }
mv -T "$place/$1.new" "$place/$1" || answer 'failed it cannot be renamed'
answer received
