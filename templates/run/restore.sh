# What a backup brought, from where it was unpacked into place. Nothing that is there already is overwritten.

# restore_place ID MAPTYPE: mail first, the lists of mailboxes last. The vmail user is there (accounts_prepare).
restore_place() {
  local from="$STATE/restore/$1/server"
  [ "$(cat "$STATE/restored" 2>/dev/null)" = "$1" ] && { rm -rf "${STATE:?}/restore"; return 0; }
  [ -d "$from" ] || { problem 'what the backup brought is not there; run the restore again'; return 1; }
  changed
  progress 'Mail' && restore_mail "$from" && progress 'Keys and certificates' && restore_dkim "$from" &&
    restore_certificates "$from" && restore_srs "$from" && progress 'Mailboxes and aliases' && restore_lists "$from" && accounts_rebuild "$2" || return
  printf '%s\n' "$1" >"$STATE/restored.new" && durable "$STATE/restored.new" "$STATE/restored" || return
  rm -rf "${STATE:?}/restore"
}

restore_mail() {
  local domain user to path target
  [ -d "$1/mail" ] || return 0
  chown -hR vmail:vmail "$1/mail" || return
  find "$1/mail" -type d -exec chmod 0700 {} + && find "$1/mail" -type f -exec chmod 0600 {} + || return
  while IFS='	' read -r path target; do
    case "$path/$target" in *../* | */..) continue ;; esac
    case "$target" in '' | /*) continue ;; esac
    ln -sT "$target" "$1/mail$path" 2>/dev/null && chown -h vmail:vmail "$1/mail$path"
  done <"$1/mail-links"
  for domain in "$1"/mail/*; do
    [ -d "$domain" ] || continue
    to="$ROOT/var/vmail/${domain##*/}"
    [ -d "$to" ] || { mkdir "$to" && chown vmail:vmail "$to" && chmod 0700 "$to"; } || return
    for user in "$domain"/* "$domain"/.[!.]*; do
      [ -e "$user" ] || continue
      if [ -e "$to/${user##*/}" ]; then
        cp -an "$user/." "$to/${user##*/}/" || { problem "$to/${user##*/}: $(space_of "$to")"; return 1; }
      else
        mv -T "$user" "$to/${user##*/}" || { problem "$to/${user##*/}: $(space_of "$to")"; return 1; }
      fi
    done
  done
}

restore_dkim() {
  local folder="$ROOT/var/lib/rspamd/dkim" key name
  for key in "$1"/dkim/*.key; do
    [ -f "$key" ] || continue
    name=${key##*/}
    name=${name%.key}
    mkdir -p "$folder" || return
    [ -e "$folder/$name.key" ] ||
      { cp "$key" "$folder/$name.key.new" && chown root:_rspamd "$folder/$name.key.new" &&
        chmod 0640 "$folder/$name.key.new" && durable "$folder/$name.key.new" "$folder/$name.key"; } || return
    # Sees that it is a key, and makes the public half.
    dkim_make_key "${name%.*}" "${name##*.}" || return
  done
}

restore_certificates() {
  local store="$ROOT/etc/letsencrypt" ours="$ROOT/etc/smtp-setup" folder lineage number kind link
  for folder in accounts archive renewal; do
    [ -d "$1/letsencrypt/$folder" ] || continue
    mkdir -p "$store/$folder" && cp -Rn "$1/letsencrypt/$folder/." "$store/$folder/" && chmod 0700 "$store/$folder" || return
  done
  [ ! -d "$store/renewal" ] || chmod 0755 "$store/renewal"
  for lineage in "$store"/archive/*; do
    [ -d "$lineage" ] || continue
    # The newest of each; certbot numbers the four files alike.
    # shellcheck disable=SC2012 # certbot's names
    number=$(ls "$lineage" | sed -n 's/^fullchain\([0-9]\{1,\}\)\.pem$/\1/p' | sort -n | tail -n 1)
    [ -n "$number" ] || continue
    mkdir -p "$store/live/${lineage##*/}" || return
    for kind in cert chain fullchain privkey; do
      [ -e "$store/live/${lineage##*/}/$kind.pem" ] ||
        ln -sT "../../archive/${lineage##*/}/$kind$number.pem" "$store/live/${lineage##*/}/$kind.pem" || return
    done
  done
  for folder in "$1"/certs/issued-*; do
    [ -d "$folder" ] && [ ! -e "$ours/certs/${folder##*/}" ] || continue
    mkdir -p "$ours/certs" && chmod 0755 "$ours" "$ours/certs" && cp -R "$folder" "$ours/certs/${folder##*/}" &&
      chmod 0755 "$ours/certs/${folder##*/}" && chmod 0644 "$ours/certs/${folder##*/}/fullchain.pem" || return
  done
  if [ -s "$1/certs/next.pem" ] && [ ! -e "$ours/keys/next.pem" ]; then
    mkdir -p "$ours/keys" && chmod 0700 "$ours/keys" && cp "$1/certs/next.pem" "$ours/keys/next.pem" &&
      chmod 0600 "$ours/keys/next.pem" || return
  fi
  link=$(head -n 1 "$1/certs/in-use" 2>/dev/null)
  case $(readlink "$ours/tls" 2>/dev/null) in certs/issued-*) return 0 ;; esac
  case $link in certs/issued-*/* | *..*) return 0 ;; certs/issued-*) ;; *) return 0 ;; esac
  [ -e "$ours/$link/privkey.pem" ] || return 0
  ln -sfnT "$link" "$ours/tls"
}

# restore_srs FROM: bounces of mail that the old server sent on still find their way back. The first line of the file signs,
# all of them are believed (postsrsd(8)); what this server signed before stays good.
restore_srs() {
  local secret="$ROOT/etc/postsrsd.secret"
  [ -s "$1/srs-secret" ] || return 0
  set -- "$1/srs-secret"
  if [ -e "$secret" ]; then
    set -- "$1" "$secret"
    cp -a "$secret" "$secret.new"
  else
    (umask 077 && : >"$secret.new")
  fi && perl -ne 'chomp; print "$_\n" if /\S/ && !$have{$_}++; END { close STDOUT or exit 1 }' "$@" >"$secret.new" ||
    { problem "$secret cannot be written: $(space_of "$secret")"; return 1; }
  if cmp -s "$secret.new" "$secret"; then rm -f "$secret.new"; return 0; fi
  durable "$secret.new" "$secret" || { problem "$secret cannot be written: $(space_of "$secret")"; return 1; }
  # A server without forwarding has no such service; the secret waits for it.
  systemctl is-active --quiet postsrsd.service || return 0
  systemctl restart postsrsd.service || { unit_problem postsrsd.service restart; return 1; }
}

# Lines whose name is not there yet, under the lock that every change of the lists takes.
restore_lists() {
  local ours="$ROOT/etc/smtp-setup" list
  mkdir -p "$ours" && chmod 0755 "$ours" && restore_folder "$1" local 0755 0644 && restore_folder "$1" relay 0700 0600 || return
  (
    flock 8
    for list in "$1"/lists/*; do
      [ -f "$list" ] || continue
      [ -e "$ours/${list##*/}" ] || { : >"$ours/${list##*/}" && chmod 0644 "$ours/${list##*/}"; } || exit 1
      cp -a "$ours/${list##*/}" "$ours/${list##*/}.new" && perl -e '
        my ($have, $come) = @ARGV;
        my %have;
        my $key = sub { return $_[0] =~ /^([^#:\s][^:\s]*)/ ? $1 : undef };
        open(my $old, "<", $have) or die; while (<$old>) { my $name = $key->($_); $have{$name} = 1 if defined $name }
        open(my $new, "<", $come) or die; open(my $out, ">>", "$have.new") or die;
        while (<$new>) { my $name = $key->($_); print $out $_ if defined $name && !$have{$name}++ }
        close $out or die' "$ours/${list##*/}" "$list" && durable "$ours/${list##*/}.new" "$ours/${list##*/}" || exit 1
    done
  ) 8>>"$ours/.accounts.lock" || { problem "the lists in $ours cannot be written: $(space_of "$ours/users")"; return 1; }
}

# restore_folder FROM NAME MODE FILEMODE: files of /etc/smtp-setup/NAME that are not there yet.
restore_folder() {
  local folder="$ROOT/etc/smtp-setup/$2" file
  for file in "$1/$2"/*; do
    if [ ! -f "$file" ] || [ -e "$folder/${file##*/}" ]; then continue; fi
    mkdir -p "$folder" && chmod "$3" "$folder" && cp "$file" "$folder/.new" && chmod "$4" "$folder/.new" &&
      durable "$folder/.new" "$folder/${file##*/}" || { problem "$folder cannot be written: $(space_of "$folder")"; return 1; }
  done
}
