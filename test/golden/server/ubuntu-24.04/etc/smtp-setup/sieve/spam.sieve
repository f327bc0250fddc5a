# Managed by smtp-setup. It runs before each user's own script, which is never touched; for all users you can add
# scripts with sieve_before in /etc/smtp-setup/local/dovecot.conf.
require ["fileinto", "mailbox"];

# Rspamd's verdict "add header". Spam gets no vacation notice and is not forwarded: no script runs after this one.
if header :is "X-Spam" "Yes" {
  fileinto :create "Junk";
  stop;
}
