/**
 * What answers mail to echo@: a reply to the envelope sender, with the verdicts on the message it answers. It answers
 * no bounce and no automatic message (RFC 3834 section 2), so that two of them never talk for ever.
 */
export function renderEchoProgram(domain: string): string {
  return `import email, email.policy, email.utils, subprocess, sys
from email.message import EmailMessage

sender = sys.argv[1]
message = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.SMTP)
automatic = message.get("Auto-Submitted", "no").lower() != "no"
if sender in ("", "<>", "MAILER-DAEMON") or sender.endswith("@${domain}") or automatic:
    sys.exit(0)

results = " ".join(str(message.get("Authentication-Results", "none")).split())
reply = EmailMessage(policy=email.policy.SMTP.clone(max_line_length=200))
reply["From"] = "Echo <echo@${domain}>"
reply["To"] = sender
reply["Subject"] = "Re: " + " ".join(str(message.get("Subject", "(no subject)")).split())[:120]
reply["Date"] = email.utils.formatdate()
reply["Message-ID"] = email.utils.make_msgid(domain="${domain}")
if message.get("Message-ID"):
    reply["In-Reply-To"] = str(message["Message-ID"]).strip()
    reply["References"] = str(message["Message-ID"]).strip()
reply["Auto-Submitted"] = "auto-replied"
reply.set_content("Your message arrived.\\n\\nWhat was found about it:\\n" + results + "\\n")
subprocess.run(["/usr/sbin/sendmail", "-i", "-f", "echo@${domain}", "--", sender], input=bytes(reply), check=True)
`;
}

/** Runs both daemons; the host lives as long as Postfix does. */
export const startScript = `#!/bin/sh
set -e
mkdir -p /run/rspamd /var/spool/postfix/pid
chown _rspamd:_rspamd /run/rspamd /lab/dkim.key
rspamd --config=/lab/rspamd.conf --no-fork --user=_rspamd --group=_rspamd &
postfix set-permissions >/dev/null 2>&1 || :
exec postfix start-fg
`;
