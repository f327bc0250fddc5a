import { appendFile, chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../../src/sandbox/index.js';
import { type Receiver, startReceiver } from '../../src/sandbox/receiver/index.js';
import type { World } from './world.js';

/** A hosted provider on the private Internet: a real Postfix that takes mail under TLS and after a login only. */
export interface RelayHost {
  readonly host: string;
  /** Domain whose SPF lets the relay through. */
  readonly spf: string;
  readonly receiver: Receiver;
  /** The one login it knows from now on. */
  setLogin(user: string, password: string): Promise<void>;
}

/**
 * Speaks Dovecot's authentication protocol (version 1) to Postfix. Two sockets, as providers differ: one that offers PLAIN,
 * one that offers LOGIN only.
 */
const authProgram = `import base64, os, socket, threading

def allowed(user, password):
    with open("/lab/login") as file:
        known = file.read().rstrip("\\n")
    return user + "\\t" + password == known

def serve(path, mechanism):
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(20)
    while True:
        threading.Thread(target=talk, args=(listener.accept()[0], mechanism), daemon=True).start()

def talk(connection, mechanism):
    lines = connection.makefile("r", newline="\\n")
    say = lambda *fields: connection.sendall(("\\t".join(fields) + "\\n").encode())
    say("VERSION", "1", "1")
    say("MECH", mechanism, "plaintext")
    say("SPID", "1")
    say("CUID", "1")
    say("COOKIE", "0" * 32)
    say("DONE")
    names = {}
    def end(id, user, password):
        say(*(("OK", id, "user=" + user) if allowed(user, password) else ("FAIL", id, "user=" + user)))
    for line in lines:
        fields = line.rstrip("\\n").split("\\t")
        if fields[0] == "AUTH":
            given = [field[5:] for field in fields if field.startswith("resp=")]
            if mechanism == "LOGIN":
                names[fields[1]] = None
                say("CONT", fields[1], base64.b64encode(b"Username:").decode())
            elif given:
                _, user, password = base64.b64decode(given[0]).decode().split("\\0")
                end(fields[1], user, password)
            else:
                say("CONT", fields[1], "")
        elif fields[0] == "CONT":
            text = base64.b64decode(fields[2]).decode()
            if mechanism == "PLAIN":
                _, user, password = text.split("\\0")
                end(fields[1], user, password)
            elif names.get(fields[1]) is None:
                names[fields[1]] = text
                say("CONT", fields[1], base64.b64encode(b"Password:").decode())
            else:
                end(fields[1], names.pop(fields[1]), text)

threading.Thread(target=serve, args=("/var/spool/postfix/private/auth-login", "LOGIN")).start()
serve("/var/spool/postfix/private/auth-plain", "PLAIN")
`;

/** Ports, as providers have them: STARTTLS and PLAIN, TLS from the first byte, STARTTLS and LOGIN only. */
const services = [
  ['587', 'plain', '-o smtpd_tls_security_level=encrypt'],
  ['465', 'plain', '-o smtpd_tls_wrappermode=yes'],
  ['2525', 'login', '-o smtpd_tls_security_level=encrypt'],
].map(
  ([port, mechanism, tls]) =>
    `${port} inet n - n - - smtpd ${tls} -o smtpd_sasl_auth_enable=yes -o smtpd_sasl_type=dovecot -o smtpd_sasl_path=private/auth-${mechanism} -o smtpd_tls_auth_only=yes -o smtpd_relay_restrictions=permit_sasl_authenticated,reject -o smtpd_recipient_restrictions= -o smtpd_milters= -o syslog_name=postfix/relay${port}`,
);

export async function startRelayHost({ lab }: World): Promise<RelayHost> {
  const receiver = await startReceiver(lab, { domain: 'relay.test', hostName: 'relay', last: 61 });
  const { root } = receiver.labHost;
  await writeFile(join(root, 'lab/auth.py'), authProgram);
  await writeFile(
    join(root, 'lab/start-relay.sh'),
    '#!/bin/sh\n/usr/bin/python3 /lab/auth.py &\nexec /lab/start.sh\n',
  );
  await chmod(join(root, 'lab/start-relay.sh'), 0o755);
  await appendFile(join(root, 'etc/postfix/master.cf'), `${services.join('\n')}\n`);
  const detached =
    'setsid /usr/bin/python3 /lab/auth.py >/dev/null 2>&1 & until [ -S /var/spool/postfix/private/auth-plain ] && [ -S /var/spool/postfix/private/auth-login ]; do sleep 0.1; done; postfix reload';
  const started = await receiver.labHost.exec(['sh', '-c', detached]);
  if (started.code !== 0) throw new Error(started.stderr);
  return {
    host: receiver.host,
    spf: receiver.domain,
    receiver,
    setLogin: (user, password) => writeFile(join(root, 'lab/login'), `${user}\t${password}\n`),
  };
}

/** A server (the lab's own, unless another is given) knows the authority of the private Internet as it knows the real ones. */
export async function trustLabAuthority(
  { lab }: World,
  run: Lab['vps']['exec'] = (command, options) => lab.vps.exec(command, options),
): Promise<void> {
  const pem = await readFile(join(lab.acme.host.root, 'lab/ca.pem'), 'utf8');
  const result = await run(
    'mkdir -p /usr/local/share/ca-certificates && cat >/usr/local/share/ca-certificates/lab.crt && { ! command -v update-ca-certificates || update-ca-certificates; }',
    { input: pem },
  );
  if (result.code !== 0) throw new Error(result.stderr);
}
