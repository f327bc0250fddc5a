import { type Endpoint, LineClient, type TlsState } from './line-client.js';

/** Just enough of IMAP4rev1 (RFC 3501) to prove that a delivered mail can be read: login, search, fetch, delete. */
export class ImapClient {
  private readonly line: LineClient;
  private tag = 0;
  readonly greeting: string;

  private constructor(line: LineClient, greeting: string) {
    this.line = line;
    this.greeting = greeting;
  }

  /** IMAPS: TLS from the start (RFC 8314). Throws ConversationError. */
  static async connect(endpoint: Endpoint): Promise<ImapClient> {
    const line = await LineClient.connect(endpoint, { tls: true });
    try {
      return new ImapClient(line, await line.readLine());
    } catch (error) {
      line.close();
      throw error;
    }
  }

  get tls(): TlsState | undefined {
    return this.line.tls;
  }

  /** True when the server accepts the credentials. */
  async login(user: string, password: string): Promise<boolean> {
    const { status } = await this.command(`LOGIN ${quote(user)} ${quote(password)}`);
    return status === 'OK';
  }

  /** The newest message of `mailbox` whose Message-ID holds `messageId`, whole, or undefined. */
  findMessage(mailbox: string, messageId: string): Promise<string | undefined> {
    return this.findByHeader(mailbox, 'Message-ID', messageId);
  }

  /** The newest message of `mailbox` whose subject holds `text`, whole, or undefined. */
  findText(mailbox: string, text: string): Promise<string | undefined> {
    return this.findByHeader(mailbox, 'Subject', text);
  }

  private async findByHeader(mailbox: string, field: string, text: string): Promise<string | undefined> {
    const selected = await this.command(`SELECT ${quote(mailbox)}`);
    if (selected.status !== 'OK') return undefined;
    const found = await this.command(`UID SEARCH HEADER ${field} ${quote(text)}`);
    const uid = /^\* SEARCH ((?:\d+ ?)+)/m.exec(found.lines.join('\n'))?.[1]?.trim().split(' ').at(-1);
    if (uid === undefined) return undefined;
    const fetched = await this.command(`UID FETCH ${uid} (BODY.PEEK[])`);
    return fetched.literals[0]?.toString('utf8');
  }

  /** Removes a message for good: probe mail must not pile up. */
  async deleteMessage(messageId: string): Promise<void> {
    const found = await this.command(`UID SEARCH HEADER Message-ID ${quote(messageId)}`);
    const uid = /^\* SEARCH ((?:\d+ ?)+)/m.exec(found.lines.join('\n'))?.[1]?.trim().split(' ').join(',');
    if (uid === undefined) return;
    await this.command(`UID STORE ${uid} +FLAGS.SILENT (\\Deleted)`);
    await this.command('EXPUNGE');
  }

  async logout(): Promise<void> {
    try {
      await this.command('LOGOUT');
    } finally {
      this.line.close();
    }
  }

  close(): void {
    this.line.close();
  }

  private async command(text: string): Promise<{ status: string; lines: string[]; literals: Buffer[] }> {
    this.tag += 1;
    const tag = `a${this.tag}`;
    this.line.write(`${tag} ${text}\r\n`);
    const lines: string[] = [];
    const literals: Buffer[] = [];
    for (;;) {
      const line = await this.line.readLine();
      const size = /\{(\d+)\}$/.exec(line)?.[1];
      if (size !== undefined)
        literals.push(await this.line.readBytes(Math.min(Number(size), 64 * 1024 * 1024)));
      if (line.startsWith(`${tag} `)) return { status: line.split(' ')[1] ?? '', lines, literals };
      if (lines.length < 10_000) lines.push(line);
    }
  }
}

function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
