import { ImapClient } from '../../mail/imap-client.js';
import { SmtpClient } from '../../mail/smtp-client.js';
import type { MailOrder, MailReport } from '../mail-program.js';

/** The rehearsing user's mail program: reads an order from stdin, prints a report. Runs in the client's network. */
async function main(): Promise<void> {
  let text = '';
  for await (const chunk of process.stdin) text += String(chunk);
  const order: MailOrder = JSON.parse(text);
  const report = order.action === 'send' ? await send(order) : await read(order);
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

const endpointOf = ({ address, hostname, ca }: MailOrder, port: number) => ({
  address,
  port,
  servername: hostname,
  ca,
  timeout: 60_000,
});

async function send(order: Extract<MailOrder, { action: 'send' }>): Promise<MailReport> {
  const client = await SmtpClient.connect(endpointOf(order, order.port), { tls: order.port === 465 });
  await client.ehlo('laptop.invalid');
  if (order.port !== 465) {
    await client.startTls();
    await client.ehlo('laptop.invalid');
  }
  const replies = [await client.authPlain(order.user, order.password)];
  if (replies[0]?.code === 235) {
    for (const command of [`MAIL FROM:<${order.envelopeFrom ?? order.from}>`, `RCPT TO:<${order.to}>`]) {
      replies.push(await client.command(command));
      if ((replies.at(-1)?.code ?? 0) >= 400) break;
    }
    if ((replies.at(-1)?.code ?? 0) < 400) replies.push(await client.data(order.message));
  }
  const { tls } = client;
  await client.quit();
  const last = replies.at(-1);
  return {
    ok: replies.length === 4 && last?.code === 250,
    detail: `${last?.code ?? 0} ${last?.lines.join(' ') ?? ''}`,
    trusted: tls?.authorized ?? false,
  };
}

async function read(order: Extract<MailOrder, { action: 'read' }>): Promise<MailReport> {
  const client = await ImapClient.connect(endpointOf(order, 993));
  try {
    if (!(await client.login(order.user, order.password)))
      return { ok: false, detail: 'login refused', trusted: false };
    const end = Date.now() + order.timeoutMs;
    for (;;) {
      const message = await client.findText(order.mailbox ?? 'INBOX', order.subject);
      if (message !== undefined)
        return { ok: true, detail: message, trusted: client.tls?.authorized ?? false };
      if (Date.now() > end) return { ok: false, detail: 'no such message', trusted: false };
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  } finally {
    client.close();
  }
}

await main();
