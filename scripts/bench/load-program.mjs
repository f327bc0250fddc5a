// Sends many messages as fast as the server takes them. Runs in the client's network; the order comes on stdin.
import nodemailer from 'nodemailer';

let text = '';
for await (const piece of process.stdin) text += piece;
const { host, port, secure, name, auth, from, to, count, connections, label } = JSON.parse(text);
const pool = nodemailer.createTransport({
  host,
  port,
  secure,
  name,
  ...(auth === undefined ? {} : { auth }),
  pool: true,
  maxConnections: connections,
  maxMessages: Number.POSITIVE_INFINITY,
  tls: { rejectUnauthorized: false },
});
const body = 'A line of a message that somebody might have written, fifty times over.\n'.repeat(50);
const started = Date.now();
const results = await Promise.allSettled(
  Array.from({ length: count }, (_, index) =>
    pool.sendMail({ envelope: { from, to }, from, to, subject: `${label} ${index}`, text: body }),
  ),
);
pool.close();
const refused = results
  .filter(({ status }) => status === 'rejected')
  .map(({ reason }) => String(reason.message));
process.stdout.write(
  JSON.stringify({ started, ended: Date.now(), refused: refused.length, why: refused.slice(0, 3) }),
);
