import { type Endpoint, LineClient, type TlsState } from './line-client.js';

export interface SmtpReply {
  code: number;
  /** Text of each line, without the code. */
  lines: readonly string[];
}

/** The dialogue of RFC 5321, one command at a time, so that checks can also say what a mail client never would. */
export class SmtpClient {
  private readonly line: LineClient;
  readonly greeting: SmtpReply;

  private constructor(line: LineClient, greeting: SmtpReply) {
    this.line = line;
    this.greeting = greeting;
  }

  /** Connects and reads the greeting; `tls` for the wrapper port 465. Throws ConversationError. */
  static async connect(endpoint: Endpoint, options: { tls: boolean } = { tls: false }): Promise<SmtpClient> {
    const line = await LineClient.connect(endpoint, options);
    try {
      return new SmtpClient(line, await readReply(line));
    } catch (error) {
      line.close();
      throw error;
    }
  }

  get tls(): TlsState | undefined {
    return this.line.tls;
  }

  async command(text: string): Promise<SmtpReply> {
    this.line.write(`${text}\r\n`);
    return readReply(this.line);
  }

  /** EHLO keywords in upper case, each with its parameters. */
  async ehlo(name: string): Promise<Map<string, string>> {
    const reply = await this.command(`EHLO ${name}`);
    const keywords = new Map<string, string>();
    for (const text of reply.lines.slice(1)) {
      const [keyword = '', ...rest] = text.split(' ');
      keywords.set(keyword.toUpperCase(), rest.join(' '));
    }
    return keywords;
  }

  /** STARTTLS (RFC 3207); the caller says EHLO again. */
  async startTls(): Promise<SmtpReply> {
    const reply = await this.command('STARTTLS');
    if (reply.code === 220) await this.line.startTls();
    return reply;
  }

  /** AUTH PLAIN with an initial response (RFC 4954). */
  authPlain(user: string, password: string): Promise<SmtpReply> {
    return this.command(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`, 'utf8').toString('base64')}`);
  }

  /** The message after a 354; lines are dot-stuffed and end in CRLF. */
  async data(message: string): Promise<SmtpReply> {
    const reply = await this.command('DATA');
    if (reply.code !== 354) return reply;
    const body = message.replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..');
    return this.command(`${body.endsWith('\r\n') ? body.slice(0, -2) : body}\r\n.`);
  }

  /** Raw bytes, for smuggling and pipelining checks; read the replies with `reply()`. */
  raw(bytes: string): void {
    this.line.write(bytes);
  }

  reply(): Promise<SmtpReply> {
    return readReply(this.line);
  }

  /** Breaks off in the middle, and lets the server say its last words. */
  endInput(): void {
    this.line.endInput();
  }

  async quit(): Promise<void> {
    try {
      await this.command('QUIT');
    } finally {
      this.line.close();
    }
  }

  close(): void {
    this.line.close();
  }
}

async function readReply(line: LineClient): Promise<SmtpReply> {
  const lines: string[] = [];
  for (;;) {
    const text = await line.readLine();
    const match = /^(\d{3})([ -]?)(.*)$/.exec(text);
    if (!match || lines.length > 100) return { code: 0, lines: [...lines, text] };
    lines.push(match[3] ?? '');
    if (match[2] !== '-') return { code: Number(match[1]), lines };
  }
}
